"""Carry out `splineviz inspect`: read, describe."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from .aligned import aligned
from .saying import say, say_json

if TYPE_CHECKING:
    from splineviz.program import Description, Fidelity

    from .options import ModelSource

__all__ = ["run_inspect"]

SCHEMA = "splineviz.inspect/1"


def run_inspect(network: ModelSource, *, as_json: bool, quiet: bool) -> None:
    """Describe one model on stdout; what blocks exactness is raised."""
    from splineviz.errors import NotPiecewiseAffineError
    from splineviz.program import describe, load_program

    try:
        card = describe(load_program(network.model, **network.how))
    except NotPiecewiseAffineError as error:
        if as_json:
            say_json({"schema": SCHEMA, "exact": False, "blocked_by": list(error.offenders)})
        raise
    network.tell_weights(quiet)
    if as_json:
        say_json({"schema": SCHEMA, "exact": True, "blocked_by": [], **asdict(card)})
    else:
        say(*_table(card))


def _table(card: Description) -> list[str]:
    head = [
        ("model", card.name),
        ("input", _shape(card.input_shape)),
        ("output", _shape(card.output_shape)),
        *([("cut off", f"{card.cut_off}: the output is what enters it")] if card.cut_off else []),
        ("parameters", f"{card.n_parameters:,}"),
        ("affine nodes", f"{card.n_affine:,}"),
        ("units", f"{card.n_units:,} in {len(card.stages)} stages"),
        ("digest", card.digest[:16]),
    ]
    if card.fidelity is not None:
        head.append(("fidelity", _fidelity(card.fidelity)))
    rows = [("stage", "module", "kind", "shape", "units", "source")]
    rows += [(str(s.index), s.name, s.kind, _shape(s.shape), f"{s.units:,}", s.source) for s in card.stages]
    return [*aligned(head), "", *aligned(rows), "", "nothing blocks exactness"]


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _fidelity(fidelity: Fidelity) -> str:
    parts = [
        f"{value:.1e} off its {name} forward pass"
        for name, value in (("float64", fidelity.float64), ("float32", fidelity.float32))
        if value is not None
    ]
    return f"{', '.join(parts)} ({fidelity.samples} random inputs)"
