"""What goes out to whom, and how far it is. It outlives every rebuild. Reading order: table, webhooks."""
