"""Exact local complexity: the cells of many small neighbourhoods, counted."""
