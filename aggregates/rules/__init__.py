"""Rules that marketers write: their text, their meaning as values, their schema, and what is wrong with a text.

Reading order: window, pattern, rule, segment, conditions and reading (text into rules), schema, sentence (rules for who reads no YAML);
`cel` is the language of conditions, `holdout` the draw.
What a rule does with a customer's history is in `projections/triggers`. docs/rules.md is the page for people.
"""
