"""Articles and scripts as they are found: by words, by what they are for, and by how much they helped. Reading order: table."""
