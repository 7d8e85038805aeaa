"""Rows of bench-limits for files: the memory that writing takes beside the arrangement, by kind of file."""

from __future__ import annotations

import ctypes
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import splineviz as sv
from splineviz.io import parquet_writer, save_geojson
from splineviz.render import save_figure

__all__ = ["KINDS", "return_memory", "seconds_to_write"]

KINDS = ("geojson", "parquet", "npz", "png", "svg", "pdf")


def seconds_to_write(arr: sv.Arrangement, kind: str) -> float:
    """Write an arrangement; pictures without the decision boundary, which is worked out and no part of them."""
    with TemporaryDirectory() as folder:
        path, began = Path(folder, f"cells.{kind}"), time.perf_counter()
        if kind == "geojson":
            save_geojson(arr, path)
        elif kind == "parquet":
            with parquet_writer(path) as add:
                add(arr)
        elif kind == "npz":
            sv.save(arr, path)
        else:
            save_figure(arr, path, boundary=False)
        return time.perf_counter() - began


def return_memory() -> None:
    """Give what is free back to the system: what is taken from it again then counts."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
