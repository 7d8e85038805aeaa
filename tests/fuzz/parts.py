"""What families of networks are put together from."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.oracles.network import Linear, Pointwise, relu
from tests.properties.strategies import layers

__all__ = ["SMALL", "draw_rows", "draw_tail"]

SMALL = st.integers(-3, 3)


def draw_rows(
    draw: st.DrawFn, n: int, width: int, entries: st.SearchStrategy[Any] = SMALL
) -> list[list[Any]]:
    row = st.lists(entries, min_size=width, max_size=width)
    return draw(st.lists(row, min_size=n, max_size=n))


def draw_tail(draw: st.DrawFn, width: int, kind: str = "integer") -> list[Linear | Pointwise]:
    """A second layer and outputs."""
    return [draw(layers(width, 3, kind)), relu(), draw(layers(3, 2, kind))]
