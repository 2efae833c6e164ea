"""A service request from the first call to resolved: what somebody wants of us, who sees to it, and by when.

Reading order: request (facts, state, evolve), deciding (what may be done when), hours and targets (by when), recording, telling (what the
log hears), asking (whether he is content).
"""
