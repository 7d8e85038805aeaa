"""What a notebook shows of a comparison: small pictures of the networks, and two tables. Computes nothing
that is not there."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from splineviz.render.notebook import picture

if TYPE_CHECKING:
    from splineviz.comparison.comparison_result import Comparison

__all__ = ["repr_html"]


def repr_html(comparison: Comparison) -> str:
    """A picture of each of up to four networks, of at most about 50 kB, and the numbers of networks and
    pairs."""
    arrs, names = comparison.arrangements, comparison.names
    figures = "".join(
        f"<figure style='margin:0'>{picture(arr)}<figcaption>{html.escape(name)}</figcaption></figure>"
        for name, arr in list(zip(names, arrs, strict=True))[:4]
    )
    models = [("", "cells", "edge stages", "proven")]
    models += [
        (
            name,
            f"{arr.n_cells:,}",
            str(len(arr.stats.cells_per_stage)),
            "yes" if arr.stats.certified else "no",
        )
        for name, arr in zip(names, arrs, strict=True)
    ]
    pairs = [("", "cells of the overlay", "variation of information", "adjusted Rand index", "same class")]
    pairs += [
        (
            f"{names[pair.first]}, {names[pair.second]}",
            f"{pair.overlay.n_cells:,}",
            f"{pair.partitions.variation_of_information:.3f} nats",
            f"{pair.partitions.adjusted_rand_index:.3f}",
            "" if pair.decisions is None else f"{100 * pair.decisions.agreement:.1f} %",
        )
        for pair in comparison.pairs
    ]
    return (
        f'<div><b>splineviz.Comparison</b><div style="display:flex;gap:1em;flex-wrap:wrap">{figures}</div>'
        f"{_table(models)}{_table(pairs)}</div>"
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows[1:])
    return f"<table><tr>{''.join(f'<th>{html.escape(cell)}</th>' for cell in rows[0])}</tr>{body}</table>"
