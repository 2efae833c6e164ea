"""What agents know and say: how the words of an article are compared, and scripts whose steps branch.

Reading order: words, script, writing (both as decisions), changes (from one version to the next).
"""
