"""The protocol of the two hops without PostgreSQL and Kafka: the same decisions, in steps between which anything may happen.

What the processors do in SQL is done here to plain dictionaries, so that thousands of histories take seconds and a seed decides everything.
Whose a touchpoint is, the real `aggregates.identity` says. Reading order: store, resolving, folding, play.
"""
