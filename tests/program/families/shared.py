"""Shapes and types that the families have in common."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

__all__ = ["MAP", "ROWS", "VECTOR", "VOLUME", "Functions", "Modules"]

VECTOR, ROWS, MAP, VOLUME = (4,), (3, 4), (2, 6, 5), (2, 3, 4, 3)

Modules = dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]]
"""Name -> how to make a module, and the shape of one input."""
Functions = dict[str, tuple[Callable[[nn.Module, Tensor], Tensor], tuple[int, ...]]]
"""Name -> a function of a module with the buffers ``row``, (4,), and ``table``, (3, 4), and of an input; and
its shape."""
