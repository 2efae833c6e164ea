"""Judges models over files, with exactly the live code and no engines.

Reading order: files (columns, times, numbers), reading (a log), churn, batch (its rival), table (no time); known, identity; rules.
"""
