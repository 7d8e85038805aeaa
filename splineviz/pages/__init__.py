"""The interactive page: one file that a browser opens, with the cells in it."""
