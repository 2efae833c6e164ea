"""The vocabulary and the decisions of Yekta: values and pure functions, no I/O, clock or randomness.

Reading order: `identifier`, `touchpoint`, `contracts`, `wire`, `identity`.
"""
