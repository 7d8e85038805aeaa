"""Looks of one request on paper and on a page, each of which has options that are not the other's."""

from __future__ import annotations

from typing import Any

__all__ = ["on_page", "on_paper"]

_PAPER = ("legend", "ticks", "width", "dpi", "text", "difference")
_PAGE = ("data_scale",)


def on_page(style: dict[str, Any]) -> dict[str, Any]:
    """Options of :func:`splineviz.page`."""
    return {name: value for name, value in style.items() if name not in _PAPER}


def on_paper(style: dict[str, Any]) -> dict[str, Any]:
    """Options of :func:`splineviz.render.save_figure`."""
    return {name: value for name, value in style.items() if name not in _PAGE}
