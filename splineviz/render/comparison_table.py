"""Pictures and tables of several networks, as a notebook shows them. Computes nothing that is not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from splineviz.render.notebook import picture
from splineviz.showing import in_html

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement

__all__ = ["comparison_html"]

_PICTURES = 4


def comparison_html(
    title: str,
    arrs: Sequence[Arrangement],
    names: Sequence[str],
    tables: Sequence[Sequence[Sequence[str]]],
) -> str:
    """HTML with a picture of each of up to four networks, of at most about 50 kB, and tables of text.

    The first row of each table is its head.
    """
    figures = "".join(
        f"<figure style='margin:0'>{picture(arr)}<figcaption>{in_html(name)}</figcaption></figure>"
        for name, arr in list(zip(names, arrs, strict=True))[:_PICTURES]
    )
    return (
        f'<div><b>{in_html(title)}</b><div style="display:flex;gap:1em;flex-wrap:wrap">{figures}</div>'
        f"{''.join(map(_table, tables))}</div>"
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{in_html(cell)}</td>' for cell in row)}</tr>" for row in rows[1:])
    return f"<table><tr>{''.join(f'<th>{in_html(cell)}</th>' for cell in rows[0])}</tr>{body}</table>"
