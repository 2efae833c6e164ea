"""What a customer is worth: what he brought, less what he cost, and what he will bring as far as anybody can know.

Reading order: state, fold, contracts, buying (how often, and whether he still is one), spending (how much), staying (how long contracts
go on), worth, given (as a score), reading, table; docs/value.md.
"""
