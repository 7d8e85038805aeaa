"""How soon a page opens, how smoothly it moves, and how many bytes it takes: with 10,000, 100,000 and a million
cells, in Chromium without a graphics card.

Writes bench-page.json and bench-page.md into docs/. ``make bench-page`` takes a few minutes; with ``--quick`` a
page of a thousand cells, without bars, into build/bench/. It needs the package playwright, and Chromium.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bars import Bar
from machine import machine_facts
from workloads import Workload, make_network

import splineviz as sv
from splineviz.files import atomic_path
from tests.browser.chromium import launched

SCHEMA = "splineviz.bench-page/1"
HERE = Path(__file__).parent
FULL, QUICK = (10_000, 100_000, 1_000_000), (1_000,)
WIDTHS = (784, 500, 500, 500, 10)
SIZE = {"width": 1280, "height": 850}

_FRAMES = """([act, seconds]) => new Promise((done) => {
  const move = new Function("app", "k", act);
  const begun = performance.now();
  let frames = 0;
  const next = () => {
    const passed = performance.now() - begun;
    if (passed > 1000 * seconds) return done((1000 * frames) / passed);
    move(window.splineviz, frames++);
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})"""
"""Frames a second while something moves"""
_PAN = "app.camera.pan(6 * Math.cos(k / 20), 6 * Math.sin(k / 20), ...app.views[0].size); app.cameraMoved()"
_TURN = "app.surface.orbit(0.02, 0); app.redraw()"
_HOVER = """() => {
  const app = window.splineviz, times = [];
  for (let k = 0; k < 200; k++) {
    const begun = performance.now();
    app.hover(app.views[0], 0.1 + 0.8 * ((k * 0.618) % 1), 0.1 + 0.8 * ((k * 0.414) % 1));
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b)[100];
}"""
