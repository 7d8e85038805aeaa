"""Parts of every measured process: one thread, peak memory, repetitions, patterns as sets, one JSON line at
the end."""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

__all__ = ["PeakMemory", "answer", "patterns_at", "request", "seconds_of", "summary"]

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_CHUNK = 16_384


def request() -> dict[str, Any]:
    """The request of this process; from here on torch uses one thread."""
    torch.set_num_threads(1)
    asked = json.loads(sys.argv[1])
    assert isinstance(asked, dict)
    return asked


def answer(result: dict[str, Any]) -> None:
    print(json.dumps(result))


class PeakMemory:
    """The highest resident memory of this process above where it stood when this was made."""

    def __init__(self) -> None:
        gc.collect()
        try:
            _RESET.write_text(
                "5", encoding="ascii"
            )  # the kernel then counts the high-water mark from the present
            self.method = "VmHWM, reset before"
        except OSError:
            self.method = "ru_maxrss, which cannot be reset and may report too little"
        self.start = self._high_water()

    def _high_water(self) -> int:
        if self.method.startswith("VmHWM"):
            line = next(
                line for line in _STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM")
            )
            return int(line.split()[1]) * 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    def above(self) -> int:
        return self._high_water() - self.start


def seconds_of(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def summary(seconds: list[float]) -> dict[str, Any]:
    return {"median": float(np.median(seconds)), "min": min(seconds), "repetitions": len(seconds)}


def patterns_at(network: nn.Sequential, uv: np.ndarray) -> set[bytes]:
    """The distinct activation patterns at points (n, 2), by float64 forward passes."""
    return set().union(*(packed(_bits(network, uv[i : i + _CHUNK])) for i in range(0, len(uv), _CHUNK)))


def packed(bits: list[np.ndarray]) -> list[bytes]:
    """One string of bytes for each row of the (n, units) patterns of all stages."""
    rows = np.concatenate([np.packbits(stage, axis=1) for stage in bits], axis=1)
    return [row.tobytes() for row in rows]


def _bits(network: nn.Sequential, uv: np.ndarray) -> list[np.ndarray]:
    bits = []
    with torch.inference_mode():
        value = torch.from_numpy(uv)
        for module in network:
            if isinstance(module, nn.ReLU):
                bits.append((value > 0).numpy())
            value = module(value)
    return bits
