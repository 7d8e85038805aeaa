"""What the measurements were made on."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["machine_facts"]


def machine_facts() -> dict[str, Any]:
    packages = [name for name in ("numpy", "torch", "numba", "regioncam") if importlib.util.find_spec(name)]
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "date": datetime.now(UTC).date().isoformat(),
        "threads": "one for each workload, all for the command line",
        "versions": {"Python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in packages},
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown processor"
