"""The embedded engines: the real Kafka and PostgreSQL as child processes of `yekta up`.

Reading order: program (what a child process is), jars, kafka (and warm_start, its speed), postgres, supervisor (keeps them alive), ports.
"""
