"""How far every processor has come in its topic: what makes effects exactly-once, and what `after=` and `yekta wait` wait for.

Reading order: table, waiting, replaying, lag, stalls.
"""
