"""Everything that touches the machine: settings, engines, connections, topics, migrations, the command line.

Reading order: settings, home, engines, run_state, running, endpoints, topics (topic_ids), database, generations, bootstrap, cli.
An API process: serving, not_http, access, decisions and recording (what aggregates keep), sealing, master_key, publishing, listening,
following, limiting, oidc, delivery. A worker: working, parts, watching, crashing. Both at once: everything, visiting.
Every process: telemetry, collector, errors.
What operators ask: status, waiting, backlog, refolding, differing, judging, rehearsing, rehearsed_values.
What sends to the doors: posting, json_array, importing, asterisk, demo. What measures: evaluation, bench. For clusters: deploy.
"""
