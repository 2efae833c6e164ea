"""What rules make of one customer's history: the signals that stand, found as facts arrive, in whatever order they do.

The meaning is one function of the facts in order of time: `fold` (with `conditions` and `checks`). Everything else is about arrival:
`react` keeps the fold of what has come, folds anew what a late fact changes, and says as effects which signals are given or withdrawn and
when to wake. No clock. Reading order: evidence, trigger, conditions, checks, fold, state, marks, react, storing (no I/O so far); table,
since, happened.
"""
