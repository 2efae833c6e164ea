"""The HTTP doors: each understands one dialect, and all append alike.

Reading order: appending (seal, append, answer after Kafka), cloudevents; segment (with unwrapping and pixel); rows (with growing).
"""
