"""The demo: real orders, simulated channels around them, and how both get in through the door like anybody's events.

Reading order: `cdnow` (the real orders; `fetching` gets them), `simulated` (who the customers might be and what channels might have seen of
them), `feed` (all in the order of arrival), `sources` (their keys), `marketing` (what is published before), `loading`, `counts`, `history`
(all of that, once; `progress` remembers it), `try_it`; the command is `infra.cli.demo`.
"""
