"""Rules that marketers write: their text, their meaning as values, their schema, and what is wrong with a text.

Reading order: window, pattern, rule, reading (text into rules), schema; `cel` is the language of conditions, `holdout` the draw.
What a rule does with a customer's history is in `projections/triggers`. docs/rules.md is the page for people.
"""
