"""Whose an identifier is and what became of a touchpoint, as `resolve` wrote it: the reading half only. See `table`."""
