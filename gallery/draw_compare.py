"""Compare the first, a middle and the last checkpoint of a run: ``python gallery/draw_compare.py FOLDER``.

The run is FOLDER/plain, made by `train_runs.py`. Makes `compare.png` and `compare.json`, on the slice through
training digits that `draw_training.py` shows.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from draw_training import CLASSES, HERE, place
from train_runs import RUNS, digits

import splineviz as sv
from splineviz.files import atomic_path

STEPS = (0, 606, 30_000)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoints", type=Path, help="folder with the run")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    x, y = digits()
    plane, window, anchors = place(x.double().numpy(), y.numpy())
    files = [chosen.checkpoints / "plain" / f"step-{step:08d}.pt" for step in STEPS]
    runs = sv.Checkpoints(RUNS["plain"].network().eval(), files)
    comparison = sv.compare(runs, plane, window, names=[f"step {step:,}" for step in STEPS])
    labels = [str(label) for label in CLASSES]
    comparison.save_figure(
        HERE / "compare.png", dpi=200, images=list(anchors.reshape(-1, 28, 28)), labels=labels
    )
    with atomic_path(HERE / "compare.json") as temporary:
        temporary.write_text(
            json.dumps({**comparison.to_dict(), "seconds": None}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
