"""Connects a call center on Asterisk: its manager interface as it happens, its files of past calls afterwards, each call once.

The protocol is Asterisk's documented manager interface (AMI), spoken by a small client of our own: the libraries for it are either not
maintained any more or one person's of this year, and what is needed of it is a login, one command and lines of text.
Reading order: manager (the protocol), call and calls (events into facts, pure), store (what is kept), connector, then queue_log, cdr and
reconcile (the importers).
"""
