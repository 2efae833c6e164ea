"""One policy for every approach to a customer, in whatever channel: who may be contacted when, by which channel, and why not.

`decide` answers for all candidates of one customer at one moment, each with exactly one outcome. Reading order: policy (and budget), quiet,
reading (text into a policy), schema, published (its versions), candidate, learned (the channel he answers), decide. docs/rules.md is the
page for people.
"""
