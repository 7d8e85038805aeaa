"""What was saved is drawn in every style without torch, and without compiled kernels: a second each saved."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import splineviz as sv

from .samples import program

_DRAW = """
import json, sys
from splineviz.choices import COLORS, EDGES
from splineviz.io import load, save_geojson
from splineviz.render import save_figure
arr = load(sys.argv[1])
several = arr.affine.shape[1] > 1
colors = [c for c in COLORS if c != "jacobian" and (c, several) not in (("value", True), ("volume", False))]
for color in colors:
    save_figure(arr, "x.png", color=color, dpi=40)
for edges in EDGES:
    save_figure(arr, "x.png", edges=edges, dpi=40)
save_figure(arr, "x.svg")
save_figure(arr, "x.pdf")
save_geojson(arr, "x.geojson")
print(json.dumps([colors, sorted({"torch", "numba"} & set(sys.modules))]))
"""


def test_every_fill_and_line_of_a_saved_arrangement(tmp_path: Path) -> None:
    drawn: set[str] = set()
    for outputs in (4, 1):
        arr = sv.arrange(program(outputs), sv.Plane.at([[[0.5] * 6] * 6], seed=0), sv.Window.diamond(2.0))
        _ = arr.linear_regions  # and the kinks, which go into the file with the maps
        sv.save(arr, tmp_path / "cells.npz", affine=True)
        command = [sys.executable, "-c", _DRAW, str(tmp_path / "cells.npz")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        colors, imported = json.loads(done.stdout)
        assert imported == [] and "random" in colors
        drawn |= set(colors)
    assert drawn == {"random", "norm", "class", "area", "kink", "stage", "volume", "value", "none"}
