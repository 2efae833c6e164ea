"""The demo: real orders, simulated channels around them, and how both get in through the door like anybody's events.

Reading order: `cdnow` (the real orders), `simulated` (who the customers might be and what channels might have seen of them), `feed` (all in
the order of arrival), `sources`, `loading`, `counts`, `try_it`; the command is `infra.cli.demo`.
"""
