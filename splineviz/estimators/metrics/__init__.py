"""Metrics of local complexity and its relatives as tables: a column for each quantity, a row a point."""
