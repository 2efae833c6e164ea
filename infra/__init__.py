"""Everything that touches the machine: settings, engines, connections, topics, migrations, the command line.

Reading order: settings, engines (jars, kafka, postgres, supervisor), run_state, endpoints, topics, database, bootstrap, cli.
"""
