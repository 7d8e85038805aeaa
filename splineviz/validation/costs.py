"""Costs of the numbers and their doubts: wall time, signs in float32, decisions that are not proven,
time-outs."""

from __future__ import annotations

from dataclasses import dataclass

from splineviz.validation.study import Study

__all__ = ["Cost", "Precision", "Uncertainty", "costs", "doubts", "precision"]


@dataclass(frozen=True)
class Cost:
    """Wall time at one radius, over all checkpoints, per neighbourhood; None where it was not measured."""

    radius: int
    exact: float | None
    """Seconds of the exact count on one plane."""
    regions: float | None
    """Seconds that its linear regions take on top."""
    proxy: float | None
    """Seconds of the proxy, with the most directions, in one frame."""
    plain: float | None
    """Seconds of a plain forward pass over the vertices of that proxy."""
    exact_to_plain: float | None
    exact_to_proxy: float | None
    proxy_to_plain: float | None


@dataclass(frozen=True)
class Uncertainty:
    """Counts that are not certain in the exact numbers, and places where the proxy rests on ties, at one
    radius."""

    radius: int
    decisions: int
    undecided: int
    in_doubt: int
    """Neighbourhoods some of whose cells contradict each other; they are counted all the same."""
    neighbourhoods: int
    given_up: int
    """Neighbourhoods whose exact count a budget ended; left out of every statistic that needs it."""
    zeros: int
    """Pairs of a neighbourhood of the most directions and a unit whose smallest or largest value at the
    vertices is exactly its breakpoint, over all frames."""


@dataclass(frozen=True)
class Precision:
    """Signs at the proxy's vertices that float32 sees differently than float64, over all checkpoints."""

    radius: int
    stage: int
    differing: int
    compared: int
    share: float | None


def costs(study: Study) -> list[Cost]:
    """Costs by radius."""
    rows = []
    for radius in range(study.n_radii):
        n = study.n_checkpoints * study.n_points
        exact, regions, proxy, plain = (
            float(study.seconds[name][:, radius].sum()) / parts if name in study.seconds else None
            for name, parts in (
                ("exact", n * study.n_planes),
                ("regions", n * study.n_planes),
                ("proxy", n),
                ("plain", n),
            )
        )
        rows.append(
            Cost(
                radius,
                exact,
                regions,
                proxy,
                plain,
                _ratio(exact, plain),
                _ratio(exact, proxy),
                _ratio(proxy, plain),
            )
        )
    return rows


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def doubts(study: Study) -> list[Uncertainty]:
    """Doubts by radius."""
    return [
        Uncertainty(
            radius,
            int(study.decisions[:, radius].sum()),
            int(study.undecided[:, radius].sum()),
            int(study.in_doubt[:, radius].sum()),
            study.counted[:, radius].size,
            int((~study.counted[:, radius]).sum()),
            int(study.zeros[:, radius, -1].sum()),
        )
        for radius in range(study.n_radii)
    ]


def precision(study: Study) -> list[Precision]:
    """Signs by radius and stage."""
    rows = []
    for radius in range(study.n_radii):
        for stage in range(len(study.stages)):
            differing, compared = (
                int(a[:, radius, stage].sum()) for a in (study.disagreements, study.compared)
            )
            rows.append(
                Precision(radius, stage, differing, compared, differing / compared if compared else None)
            )
    return rows
