"""Exact linear-region partitions of piecewise-affine networks on two-dimensional slices of their input space.

Public names are imported on first use, so that ``import splineviz`` costs neither torch nor matplotlib.

Examples
--------
>>> import numpy as np
>>> import splineviz as sv
>>> digits = sv.demo.load_points()
>>> sv.Plane.through(*digits).dim
784
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from splineviz import data as data
    from splineviz import demo as demo
    from splineviz.animation import Animation as Animation
    from splineviz.animation import animate as animate
    from splineviz.api import slice as slice
    from splineviz.arrangement.decisions.boundary_result import DecisionBoundary as DecisionBoundary
    from splineviz.arrangement.result import Arrangement as Arrangement
    from splineviz.arrangement.verdict import Stats as Stats
    from splineviz.arrangement.verdict import Status as Status
    from splineviz.checking import CheckReport as CheckReport
    from splineviz.checking import check as check
    from splineviz.comparison import Comparison as Comparison
    from splineviz.comparison import compare as compare
    from splineviz.engine.arrange import arrange as arrange
    from splineviz.engine.arrange import stream as stream
    from splineviz.engine.boundary import decision_boundary as decision_boundary
    from splineviz.engine.each import arrange_each as arrange_each
    from splineviz.engine.forecast import Forecast as Forecast
    from splineviz.engine.forecast import forecast as forecast
    from splineviz.errors import InputError as InputError
    from splineviz.errors import NotPiecewiseAffineError as NotPiecewiseAffineError
    from splineviz.errors import SplinevizError as SplinevizError
    from splineviz.errors import SplinevizWarning as SplinevizWarning
    from splineviz.estimators.estimate_result import Estimate as Estimate
    from splineviz.estimators.local_complexity import local_complexity as local_complexity
    from splineviz.io import load as load
    from splineviz.io import save as save
    from splineviz.measures.attribution import IntegratedGradients as IntegratedGradients
    from splineviz.measures.landscape import loss_landscape as loss_landscape
    from splineviz.measures.lines_over_training import lines_over_training as lines_over_training
    from splineviz.measures.lines_result import LinesOverTraining as LinesOverTraining
    from splineviz.measures.weight_plane import weight_plane as weight_plane
    from splineviz.neighbourhoods.counts import exact_local_complexity as exact_local_complexity
    from splineviz.neighbourhoods.fit_window import fit_window as fit_window
    from splineviz.pages.writing import page as page
    from splineviz.plane import Plane as Plane
    from splineviz.plane import Window as Window
    from splineviz.program import Program as Program
    from splineviz.program import load_program as load_program
    from splineviz.program.checkpoints import Checkpoints as Checkpoints
    from splineviz.program.recorder import Recorder as Recorder
    from splineviz.render import draw as draw
    from splineviz.segments.segment import Segment as Segment
    from splineviz.segments.segment import segment as segment
    from splineviz.validation import Study as Study
    from splineviz.validation import validate as validate

__version__ = "0.1.0.dev0"

_HOME = {
    "Animation": "splineviz.animation",
    "Arrangement": "splineviz.arrangement.result",
    "CheckReport": "splineviz.checking",
    "Checkpoints": "splineviz.program.checkpoints",
    "Comparison": "splineviz.comparison",
    "DecisionBoundary": "splineviz.arrangement.decisions.boundary_result",
    "Estimate": "splineviz.estimators.estimate_result",
    "Forecast": "splineviz.engine.forecast",
    "InputError": "splineviz.errors",
    "IntegratedGradients": "splineviz.measures.attribution",
    "NotPiecewiseAffineError": "splineviz.errors",
    "LinesOverTraining": "splineviz.measures.lines_result",
    "Plane": "splineviz.plane",
    "Program": "splineviz.program",
    "Recorder": "splineviz.program.recorder",
    "Segment": "splineviz.segments.segment",
    "SplinevizError": "splineviz.errors",
    "SplinevizWarning": "splineviz.errors",
    "Stats": "splineviz.arrangement.verdict",
    "Status": "splineviz.arrangement.verdict",
    "Window": "splineviz.plane",
    "animate": "splineviz.animation",
    "arrange": "splineviz.engine.arrange",
    "arrange_each": "splineviz.engine.each",
    "check": "splineviz.checking",
    "compare": "splineviz.comparison",
    "decision_boundary": "splineviz.engine.boundary",
    "stream": "splineviz.engine.arrange",
    "draw": "splineviz.render",
    "exact_local_complexity": "splineviz.neighbourhoods.counts",
    "fit_window": "splineviz.neighbourhoods.fit_window",
    "forecast": "splineviz.engine.forecast",
    "lines_over_training": "splineviz.measures.lines_over_training",
    "load": "splineviz.io",
    "load_program": "splineviz.program",
    "local_complexity": "splineviz.estimators.local_complexity",
    "loss_landscape": "splineviz.measures.landscape",
    "page": "splineviz.pages.writing",
    "save": "splineviz.io",
    "segment": "splineviz.segments.segment",
    "slice": "splineviz.api",
    "Study": "splineviz.validation",
    "validate": "splineviz.validation",
    "weight_plane": "splineviz.measures.weight_plane",
}

__all__ = [*_HOME, "__version__", "data", "demo"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in ("data", "demo"):
        return importlib.import_module(f"splineviz.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'splineviz' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
