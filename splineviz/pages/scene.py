"""The scene of a page: all that it shows, as JSON and blocks of bytes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from splineviz.arrangement.jumps import joined_cells
from splineviz.arrangement.result import Arrangement
from splineviz.arrangement.volume_factors import volume_factor
from splineviz.io.provenance import certificate_note, certificate_of
from splineviz.pages.encoding import EncodedCells, encode
from splineviz.pages.input_plane import input_plane
from splineviz.pages.known_function import KnownFunction, known_function, n_outputs
from splineviz.pages.look import Look
from splineviz.pages.outputs import chosen_outputs, output_names
from splineviz.pages.palette import palette
from splineviz.pages.panels import Panel, Panels, Strip
from splineviz.plane import Plane, Window
from splineviz.render.anchors import anchor_letters
from splineviz.render.cellcolor import in_slice_norm
from splineviz.render.clip import valid_polygon
from splineviz.render.layers import check_level
from splineviz.render.overlay import in_window
from splineviz.showing import in_line

__all__ = ["Scene", "scene_of"]


@dataclass(frozen=True, eq=False)
class Scene:
    """What scripts read: an object of JSON, and the cells of each panel as base64."""

    card: dict[str, Any]
    cells: list[str]
    look: Look
    """The look that these cells can have"""


def scene_of(panels: Panels, look: Look, *, compute: bool = True) -> Scene:
    """The scene of some panels on one window; without ``compute`` nothing is computed of the function that
    was not asked for before."""
    outputs = chosen_outputs(panels, compute=compute)
    cards, cells, networks, warnings = [], list[str](), list[dict[str, Any]](), list(panels.warnings)
    for panel in panels.panels:
        arr = panel.load()
        known = known_function(arr, compute=compute)
        shown = [output for output in outputs if known.maps is not None and output < n_outputs(arr)]
        encoded = _encoded(arr, panel, known, shown, look if compute else None)
        cells.append(base64.b64encode(encoded.packed).decode("ascii"))
        warnings += _warnings(panels, panel, arr, known, len(shown))
        if not networks or not panels.one_network:
            networks.append(_network(arr, panels, panel, shown, look))
        cards.append(_panel(arr, panel, len(networks) - 1, encoded))
    scalar = all(network["n_outputs"] == 1 for network in networks)
    check_level(look.level, scalar=scalar)
    if not any(network["outputs"] for network in networks):
        look = look.without_maps
    plane, window = arr.planes[panel.window], arr.windows[panel.window]
    n_stages = max(len(network["stages"]) for network in networks)
    most = max((network["outputs"] for network in networks), key=len)
    inputs = input_plane(plane, window, look.images, look.data_scale)
    if inputs is None:
        warnings.append(f"inputs of {plane.dim:,} numbers are not shown: a page keeps up to a million")
    card = {
        "kind": panels.kind,
        "title": in_line(look.title or panels.title),
        "note": None if look.note is None else in_line(look.note),
        "warnings": list(dict.fromkeys(map(in_line, warnings))),
        "networks": networks,
        "level": float(look.level or 0.0),
        "window": window.vertices.tolist(),
        "anchors": _anchors(plane, look.labels) if look.anchors else [],
        "data": _data(plane, window, look),
        "valid": _valid(plane, window, look),
        "input": inputs,
        "palette": palette(n_stages, [output["index"] for output in most], look.cmap),
        "view": {
            "color": look.color,
            "edges": look.edges,
            "boundary": look.boundary,
            "anchors": look.anchors,
            "data": look.points is not None,
        },
        "panels": cards,
        "strip": None if panels.strip is None else _strip(panels.strip),
    }
    return Scene(card, cells, look)


def _encoded(
    arr: Arrangement, panel: Panel, known: KnownFunction, outputs: Sequence[int], look: Look | None
) -> EncodedCells:
    """The cells of a panel; without a look no quantity is computed for it."""
    extra, edge_extra = dict[str, np.ndarray](), dict[str, np.ndarray]()
    if known.maps is not None and len(outputs) < n_outputs(arr):  # a reader cannot work them out
        extra = {"norm": in_slice_norm(known.maps), "volume": volume_factor(known.maps)}
        edge_extra = {} if known.jump is None else {"jump": known.jump}
    if "_jacobian_norms" in vars(arr) or (look is not None and look.color == "jacobian"):
        extra["jacobian"] = arr.jacobian_norms()
    maps = known.maps[:, list(outputs)] if known.maps is not None else None
    return encode(arr, panel.window, affine=maps, bends=known.bends, extra=extra, edge_extra=edge_extra)


def _warnings(panels: Panels, panel: Panel, arr: Arrangement, known: KnownFunction, shown: int) -> list[str]:
    """What a reader should know before anything else; with several panels, of which it is true."""
    said = []
    if arr.status.name != "COMPLETE":
        said.append(certificate_note(certificate_of(arr.stats)) if arr.status.covers else arr.verdict)
    if known.missing is not None:
        said.append(known.missing)
    elif shown < n_outputs(arr):
        said.append(
            f"{shown} of {n_outputs(arr):,} outputs are here: all that are the largest anywhere, and those "
            "that come to the largest values"
        )
    return [f"{panel.name}: {text}" for text in said] if len(panels.panels) > 1 else said


def _network(
    arr: Arrangement, panels: Panels, panel: Panel, outputs: Sequence[int], look: Look
) -> dict[str, Any]:
    assert arr.info is not None
    n = n_outputs(arr)
    names = output_names(outputs, n, look.class_names)
    return {
        "name": in_line(panels.title if panels.one_network else panel.name),
        "stages": [
            {
                "name": in_line(stage.name),
                "kind": in_line(stage.kind),
                "units": stage.n_units,
                "shape": list(stage.shape),
                "breakpoints": stage.breakpoints,
                "maxima": bool(stage.candidates),
            }
            for stage in arr.info.stages
        ],
        "outputs": [{"index": i, "name": name} for i, name in zip(outputs, names, strict=True)],
        "n_outputs": n,
    }


def _panel(arr: Arrangement, panel: Panel, network: int, encoded: EncodedCells) -> dict[str, Any]:
    return {
        "name": in_line(panel.name),
        "network": network,
        "cells_per_stage": _cells_per_stage(arr, panel.window),
        "status": arr.verdict,
        "proven": certificate_note(certificate_of(arr.stats)),
        "card": encoded.card,
    }


def _cells_per_stage(arr: Arrangement, window: int) -> list[int]:
    """Number of the window's cells after each stage."""
    if len(arr.windows) == 1:
        return list(arr.stats.cells_per_stage)
    here = arr.cell_window == window
    stages = range(len(arr.stats.cells_per_stage))
    return [len(np.unique(joined_cells(arr, arr.edge_stage > stage)[here])) for stage in stages]


def _anchors(plane: Plane, labels: Sequence[str] | None) -> list[dict[str, Any]]:
    captions = ["" for _ in plane.anchors] if labels is None else [in_line(str(label)) for label in labels]
    placed = zip(plane.anchors.tolist(), anchor_letters(len(plane.anchors)), captions, strict=True)
    return [{"u": u, "v": v, "letter": letter, "caption": caption} for (u, v), letter, caption in placed]


def _data(plane: Plane, window: Window, look: Look) -> dict[str, Any] | None:
    """Points of the data where they project to, and how far off the plane they are."""
    if look.points is None:
        return None
    uv, off = plane.project(look.points)
    uv, off = uv.reshape(-1, 2), off.ravel()
    inside = in_window(uv, window)
    classes = None if look.point_classes is None else np.asarray(look.point_classes).ravel()[inside]
    return {
        "u": uv[inside, 0].tolist(),
        "v": uv[inside, 1].tolist(),
        "off": off[inside].tolist(),
        "class": None if classes is None else classes.astype(int).tolist(),
    }


def _valid(plane: Plane, window: Window, look: Look) -> list[list[float]] | None:
    """The polygon in which inputs are within the range that is asked for; empty where there is none."""
    if look.valid_range is None:
        return None
    polygon: list[list[float]] = valid_polygon(plane, window, *look.valid_range).tolist()
    return polygon


def _strip(strip: Strip) -> dict[str, Any]:
    return {
        "steps": list(strip.steps),
        "seconds": [round(s, 3) for s in strip.seconds],
        "series": [
            {"chart": in_line(chart.title), "label": in_line(label), "values": values.tolist()}
            for chart in strip.charts
            for label, values in chart.lines
        ],
    }
