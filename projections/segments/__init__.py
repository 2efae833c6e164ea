"""Who is in which segment: what is asked of a customer, kept true as facts come and as time passes. Reading order: fold, table."""
