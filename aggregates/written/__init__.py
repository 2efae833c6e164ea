"""Reads what a person wrote in YAML or JSON, and says what is wrong in it, where, and which word he may have meant.

Reading order: node (text into values that know their places), problem (what is said of a mistake, in the words of messages), unread
(of what is no YAML), span (durations), reader; schema (words that the published JSON Schemas share). standing says what cannot be done
with what was read.
"""
