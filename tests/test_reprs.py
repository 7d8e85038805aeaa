"""What an interpreter shows of the large things: what they are, in at most ten lines, and never all of their
numbers."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

import splineviz as sv


def network(hidden: int = 2) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(6, 8), nn.ReLU()]
    for _ in range(hidden - 1):
        layers += [nn.Linear(8, 8), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(8, 3))


def test_a_program() -> None:
    program = sv.load_program(network())
    assert repr(program).splitlines() == [
        "Program Sequential: (6,) -> (3,), 155 parameters, 16 units",
        "  stage 0: 1, relu, 8 units",
        "  stage 1: 3, relu, 8 units",
        f"  digest {program.digest[:16]}",
    ]


def test_a_plane() -> None:
    plane = sv.Plane.through([3.0, 4.0, 0.0], [5.0, 4.0, 0.0], [3.0, 4.0, 1.0])
    assert repr(plane).splitlines() == [
        "Plane in inputs of shape (3,), 5 from 0 at its origin",
        "  anchor at uv = (0, 0)",
        "  anchor at uv = (2, 0)",
        "  anchor at uv = (0, 1)",
    ]


def test_a_segment() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 6))
    found = sv.segment(sv.load_program(network()), a, b)
    head, *stages = repr(found).splitlines()
    assert head.startswith(f"Segment of length {np.linalg.norm(b - a):.6g} through Sequential: ")
    assert head.endswith(f"{found.n_cells:,} cells")
    changes = [int(line.split(": ")[1].split()[0]) for line in stages]
    assert [line.split(":")[0] for line in stages] == ["  stage 0", "  stage 1"]
    assert sum(changes) == len(found.units.values)


def test_an_estimate() -> None:
    x = np.random.default_rng(0).normal(size=(5, 6))
    found = sv.local_complexity(network(), x, radius=[0.5, 1.0], directions=2)
    lines = repr(found).splitlines()
    assert lines[0] == "Estimate of Sequential, separated: 5 points, 2 stages, 16 units"
    assert lines[2].startswith(f"  r = 1, P = 2: mean {found.totals[1, 0].mean():.4g}, median ")
    assert lines[3].startswith("  shared frame, seed 0, float64 on cpu, ")


@pytest.mark.parametrize("kind", ["program", "plane", "segment", "estimate"])
def test_ten_lines_are_enough_for_anything(kind: str) -> None:
    deep = sv.load_program(network(30))
    x = np.random.default_rng(0).normal(size=(4, 6))
    many = sv.Plane(np.zeros(6), np.eye(2, 6), (6,), np.arange(40.0).reshape(20, 2))
    things = {
        "program": lambda: deep,
        "plane": lambda: many,
        "segment": lambda: sv.segment(deep, x[0], x[1]),
        "estimate": lambda: sv.local_complexity(
            deep, x, radius=np.linspace(0.1, 1, 20).tolist(), directions=2
        ),
    }
    lines = repr(things[kind]()).splitlines()
    assert len(lines) <= 10 and max(map(len, lines)) <= 110
    assert any("more" in line for line in lines)
