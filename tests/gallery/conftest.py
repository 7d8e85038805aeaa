from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "gallery"))

import train_runs

__all__ = ["train_runs"]
