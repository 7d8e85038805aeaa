"""Tensors of the network at the vertices of a subdivision, and the bounds of their errors."""
