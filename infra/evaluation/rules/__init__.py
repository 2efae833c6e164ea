"""Runs rules and the contact policy over a file of events, with exactly the code that runs live and no engines.

Reading order: events (lines into facts), people (whose they are), run (the loop), told (what is printed).
"""
