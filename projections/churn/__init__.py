"""What churn is predicted from: a small state per customer and definition, right at any time it is asked.

All of it is pure. docs/churn.md lists each feature with its unit and its reason. Reading order: state, fold (telling, marks, rhythm),
features, counters, examples.
"""
