"""What was refused and what became of it, for people to look at, correct and replay.

Reading order: fold, table, mappings (a newer one replays rows).
"""
