"""Calls as they go on, for the desks of those at whose extension they ring. Reading order: table."""
