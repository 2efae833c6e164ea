"""What the contact policy asks of a customer: consent, the channel he prefers, the states that block, how often he was approached.

`fold.evolve(standing, fact)` is pure and does not mind the order in which facts come. Reading order: fold, naming, standing, want,
policies, table, decisions, spending, reserving, tasks, handing, responses, belonging.
"""
