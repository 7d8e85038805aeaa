"""The picture of a page for where its script does not run."""

from __future__ import annotations

import base64
import io

from splineviz.arrangement.result import Arrangement
from splineviz.pages.look import Look
from splineviz.pages.panels import Panel, Panels
from splineviz.render.cellcolor import Limits, shared_limits
from splineviz.render.figure import draw
from splineviz.render.style import styled
from splineviz.showing import in_html

__all__ = ["stills"]

_MOST = 4
"""Networks of a comparison that are pictured"""
_WIDTH, _DPI = 5.5, 130.0
_QUALITY = 80


def stills(panels: Panels, look: Look) -> str:
    """HTML of pictures of the panels, with their legends, on one scale: of an animation the last, of several
    networks the first four."""
    chosen = panels.panels[-1:] if panels.one_network else panels.panels[:_MOST]
    loaded = [(panel, panel.load()) for panel in chosen]
    shared = len(loaded) > 1
    limits = shared_limits([arr for _, arr in loaded], look.color) if shared else None
    return "".join(_still(panel, arr, look, limits) for panel, arr in loaded)


def _still(panel: Panel, arr: Arrangement, look: Look, limits: Limits | None) -> str:
    from PIL import Image

    raw, packed = io.BytesIO(), io.BytesIO()
    with styled():
        axes = draw(arr, window=panel.window, width=_WIDTH, **look.drawing(limits))
        figure = axes.get_figure(root=True)
        assert figure is not None
        figure.savefig(raw, format="png", dpi=_DPI, facecolor="white")
    Image.open(raw).convert("RGB").save(packed, "WEBP", quality=_QUALITY, method=4)
    data, name = base64.b64encode(packed.getvalue()).decode("ascii"), in_html(panel.name)
    return (
        f'<figure><img src="data:image/webp;base64,{data}" alt="{panel.n_cells:,} cells of {name}">'
        f"<figcaption>{name}</figcaption></figure>\n"
    )
