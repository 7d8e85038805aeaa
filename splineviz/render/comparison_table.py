"""Tables of several networks, as a notebook shows them."""

from __future__ import annotations

from collections.abc import Sequence

from splineviz.showing import in_html

__all__ = ["comparison_html"]


def comparison_html(title: str, shown: str, tables: Sequence[Sequence[Sequence[str]]]) -> str:
    """HTML of a title, what is shown below it, and tables of text, the first row of each of which is its
    head."""
    return (
        f'<div><b>{in_html(title)}</b><div style="display:flex;gap:1em;flex-wrap:wrap">{shown}</div>'
        f"{''.join(map(_table, tables))}</div>"
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{in_html(cell)}</td>' for cell in row)}</tr>" for row in rows[1:])
    return f"<table><tr>{''.join(f'<th>{in_html(cell)}</th>' for cell in rows[0])}</tr>{body}</table>"
