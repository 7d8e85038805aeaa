"""Draw the picture at the head of the README, `gallery/demo.png`: what `splineviz slice demo` draws, at half
its resolution."""

from __future__ import annotations

from pathlib import Path

import splineviz as sv
from splineviz.render import save_figure

TARGET = Path(__file__).with_name("demo.png")

if __name__ == "__main__":
    digits = sv.demo.load_points()
    names = [sv.demo.CLASS_NAMES[label] for label in sv.demo.load_labels()]
    save_figure(
        sv.slice("demo", digits),
        TARGET,
        dpi=160,
        images=digits.reshape(-1, *sv.demo.IMAGE_SHAPE),
        labels=names,
    )
