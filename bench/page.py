"""How soon a page opens, how smoothly it moves, and how many bytes it takes: with 10,000, 100,000 and a million
cells, in Chromium without a graphics card.

Writes bench-page.json and bench-page.md into docs/. ``make bench-page`` takes a few minutes; with ``--quick`` a
page of a thousand cells, without bars, into build/bench/. It needs the package playwright, and Chromium.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bars import Bar, bar
from machine import machine_facts
from workloads import Workload, make_network

import splineviz as sv
from splineviz.files import atomic_path

sys.path.append(str(Path(__file__).parents[1]))

from tests.browser.chromium import launched

SCHEMA = "splineviz.bench-page/1"
HERE = Path(__file__).parent
FULL, QUICK = (10_000, 100_000, 1_000_000), (1_000,)
WIDTHS = (784, 1000, 1000, 1000, 10)
SIZE = {"width": 1280, "height": 850}

_FRAMES = """([what, seconds]) => new Promise((done) => {
  const app = window.splineviz;
  const moves = {
    pan: (k) => { app.camera.pan(6 * Math.cos(k / 20), 6 * Math.sin(k / 20), ...app.views[0].size); app.cameraMoved(); },
    turn: () => { app.orbit.rotate(0.02, 0); app.redraw(); },
  };
  const begun = performance.now();
  let frames = 0;
  const next = () => {
    const passed = performance.now() - begun;
    if (passed > 1000 * seconds) return done((1000 * frames) / passed);
    moves[what](frames++);
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})"""
"""Frames a second while something moves"""
_HOVER = """() => {
  const app = window.splineviz, times = [];
  for (let k = 0; k < 200; k++) {
    const begun = performance.now();
    app.hover(app.views[0], 0.1 + 0.8 * ((k * 0.618) % 1), 0.1 + 0.8 * ((k * 0.414) % 1));
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b)[100];
}"""
"""Milliseconds that it takes to tell what is under the cursor: the median of two hundred places"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure pages of many cells in a browser.")
    parser.add_argument("--quick", action="store_true", help="a thousand cells, without bars")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="where bench-page.json and .md go"
    )
    given = parser.parse_args(arguments)
    folder = given.output or HERE.parent / ("build/bench" if given.quick else "docs")
    seconds = 0.3 if given.quick else 3.0
    pages = [measured(cells, seconds) for cells in (QUICK if given.quick else FULL)]
    report = {
        "schema": SCHEMA,
        "machine": machine_facts(),
        "pages": pages,
        "bars": [] if given.quick else bars(pages),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("json", json.dumps(report, indent=1) + "\n"), ("md", to_markdown(report))):
        with atomic_path(folder / f"bench-page.{name}") as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(to_markdown(report))


def measured(cells: int, seconds: float) -> dict[str, Any]:
    """One page: what it takes, and how it behaves while it moves for some seconds."""
    print(f"about {cells:,} cells ...", flush=True)
    program = sv.load_program(make_network(Workload("dense", WIDTHS)))
    plane = sv.Plane.identity()  # of the slice that the network is restricted to
    window = sv.fit_window(program, plane, sv.Window.box(-1, 1, -1, 1), cells, largest=10.0)
    arr = sv.arrange(program, plane, window)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        start = time.perf_counter()
        sv.page(arr, path)
        found = {
            "cells": arr.n_cells,
            "vertices": arr.n_vertices,
            "outputs": WIDTHS[-1],
            "seconds_to_write": time.perf_counter() - start,
            "bytes_a_vertex": compressed(path) / arr.n_vertices,
            "file_bytes_a_vertex": path.stat().st_size / arr.n_vertices,
        }
        with launched() as browser:
            found |= seen(browser, path, seconds)
    print(f"  {found}", flush=True)
    return found


def compressed(path: Path) -> int:
    """Bytes of the cells before they were written as text."""
    (text,) = re.findall(r'id="cells-0">\s*([^<]+?)\s*<', path.read_text(encoding="utf-8"))
    return len(text) * 3 // 4


def seen(browser: Any, path: Path, seconds: float) -> dict[str, Any]:
    """Seconds until the cells are there, frames a second while the picture moves, and milliseconds of a hover."""
    page = browser.new_page(viewport=SIZE)
    start = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector(".view[data-drawn]", timeout=120_000)
    found: dict[str, Any] = {"seconds_to_open": time.perf_counter() - start}
    found["hover_milliseconds"] = page.evaluate(_HOVER)
    found["frames_panning"] = page.evaluate(_FRAMES, ["pan", seconds])
    page.evaluate("() => splineviz.set({ surface: true })")
    page.wait_for_timeout(1000 * seconds)
    found["frames_turning"] = page.evaluate(_FRAMES, ["turn", seconds])
    page.close()
    return found


def bars(pages: Sequence[dict[str, Any]]) -> list[Bar]:
    """What the page of 100,000 cells has to reach, and all pages."""
    (middle,) = (page for page in pages if 50_000 < page["cells"] < 200_000)
    name = f"{middle['cells']:,} cells"
    return [
        *(
            bar("bytes a vertex, compressed", f"{page['cells']:,} cells", "<=", 40, page["bytes_a_vertex"])
            for page in pages
        ),
        bar("seconds until the page is there", name, "<=", 2, middle["seconds_to_open"]),
        bar("frames a second while panning", name, ">=", 30, middle["frames_panning"]),
        bar("frames a second while the graph turns", name, ">=", 20, middle["frames_turning"]),
    ]


def to_markdown(report: dict[str, Any]) -> str:
    machine = report["machine"]
    lines = [
        "# Benchmark of pages",
        "",
        "Made by `make bench-page`, from the same run as [bench-page.json](bench-page.json): 784-1000-1000-1000-10 with",
        "random weights, in Chromium without a graphics card, 1280 x 850 pixels, on",
        f"{machine['cpu']}, {machine['cores']} cores; {machine['date']}. A vertex has ten outputs, and its bytes are those",
        "of everything about the cells, compressed; as text in the file they are a third more.",
        "",
        "| cells | bytes a vertex | in the file | written, s | open, s | hover, ms | panning, frames/s | turning, frames/s |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for page in report["pages"]:
        numbers = [
            page[key]
            for key in ("bytes_a_vertex", "file_bytes_a_vertex", "seconds_to_write", "seconds_to_open")
        ]
        numbers += [page[key] for key in ("hover_milliseconds", "frames_panning", "frames_turning")]
        lines.append(f"| {page['cells']:,} | " + " | ".join(f"{number:.3g}" for number in numbers) + " |")
    if report["bars"]:
        lines += ["", "| bar | page | wanted | measured | met |", "| --- | --- | ---: | ---: | --- |"]
    for one in report["bars"]:
        met = "yes" if one["passed"] else "NO"
        wanted = f"{one['sense']} {one['limit']}"
        lines.append(f"| {one['what']} | {one['workload']} | {wanted} | {one['measured']:.3g} | {met} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
