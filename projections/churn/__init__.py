"""What churn is predicted from: a small state per customer and definition, right at any time it is asked.

docs/churn.md lists each feature with its unit and its reason. Reading order: state, fold (telling, season), features, counters, anchors,
weights, reasons and wording, silence, kept, messages, published (all of it pure); table, marks, examples and learnt (SQL); reading and
models (for people).
"""
