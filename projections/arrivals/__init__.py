"""What arrives from each source: which types, how much, when last. Reading order: table."""
