"""Judges models over files, with exactly the live code and no engines.

Reading order: files (columns, times, numbers), reading (a log), churn, batch and online (its rivals), table (no time); known, identity;
rules.
"""
