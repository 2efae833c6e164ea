"""Conditions on one event in the Common Expression Language, with money as decimals: `data.total > 500 && data.lines.size() > 2`.

The grammar is that of a kept library, `cel-python`; what it parsed is compiled here into functions, because no library has decimals, and
because a rule must cost microseconds. docs/rules.md says where this differs from CEL, docs/decisions/0010 why.
Reading order: values, operators, functions, text, compiling, expression.
"""
