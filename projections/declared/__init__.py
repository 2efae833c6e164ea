"""Rules and segments as they stand: a row a version, written with the decisions. Reading order: table."""
