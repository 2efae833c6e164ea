"""The embedded engines: the real Kafka and PostgreSQL as child processes of `yekta up`.

Reading order: program (what a child process is), jars (their lock is renewed by lock_jars), kafka (warm_start, its speed; open_files),
postgres, memory (what it may hold), supervisor (keeps them alive), ports, room (on the disk).
"""
