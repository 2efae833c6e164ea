"""Whose an identifier is, what became of a touchpoint, and why two are one.

Reading order: table (for all who read), knowing (for `resolve`, which alone writes), ruling, conflicts, explaining.
"""
