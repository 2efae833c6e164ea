"""The unified customer view: all that the channels told of one customer, in one answer.

`fold.evolve(state, fact)` is pure; a customer's state is the same bytes in whatever order his facts came. docs/view.md says what each
field means and what is bounded. Reading order: state, fold (contacts, traits, channels, orders, consent, subscriptions, matters; values),
windows, precedence, answer, reading, table, glance.
"""
