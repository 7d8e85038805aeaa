"""Every operation against the module's own forward pass, node by node and as a whole."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from functools import cache

import cloudpickle
import numpy as np
import pytest
import torch
from torch import Tensor

from splineviz.program import Affine, Maximum, Pointwise, Program, load_program
from splineviz.program.operations import COMPLEX, OPERATIONS

from .families import spectra
from .nets import CASES, Case
from .nets_gates import CASES as GATES
from .nets_max import CASES as MAXIMA

torch.set_num_threads(1)
FIXED = {
    "batch size as a constant",
    "take along",
    "norms of matrices",
    "gradients",
    "kronecker products",
    "product with a sparse matrix",
}
"""Cases that torch traces with one number of inputs at a time."""
OTHER_NAMES = {
    "absolute": "abs",
    "clip": "clamp",
    "clamp_min": "clamp",
    "clamp_max": "clamp",
    "min": "max",
    "_prelu_kernel": "prelu",
    "rrelu_with_noise_functional": "rrelu",
}
"""Operations whose stages go by the name of another."""
each = pytest.mark.parametrize("case", [*CASES, *MAXIMA, *GATES], ids=lambda case: case.name)


@cache
def loaded(case: Case) -> Program:
    return load_program(case.make(), input_shape=case.shape)


def points(case: Case) -> Tensor:
    """Random inputs, and inputs on a grid of halves, where many values are zero or equal to a bound."""
    generator = torch.Generator().manual_seed(1)
    smooth = torch.randn(6, *case.shape, generator=generator, dtype=torch.float64)
    ties = torch.randint(-4, 5, (10, *case.shape), generator=generator) / 2.0
    return torch.cat([smooth, 5 * smooth, ties.double(), torch.zeros(1, *case.shape, dtype=torch.float64)])


def steps(program: Program, x: Tensor) -> Iterator[tuple[Affine | Pointwise | Maximum, list[Tensor]]]:
    """Each node with the tensors that enter it."""
    slots: dict[int, Tensor] = {0: x}
    for node in program.nodes:
        inputs = [slots[i] for i in node.inputs]
        yield node, inputs
        slots[node.output] = node.run(*inputs)


@each
def test_forward_is_that_of_the_module(case: Case) -> None:
    module, x = case.make(), points(case)
    expected = copy.deepcopy(module).double()(x.clone())
    result = loaded(case).forward(x)
    assert result.shape == expected.shape
    assert result.dtype == torch.float64
    assert loaded(case).output_shape == tuple(expected.shape[1:])
    torch.testing.assert_close(result, expected, rtol=1e-12, atol=1e-12)


@each
def test_any_number_of_points_may_be_passed(case: Case) -> None:
    program, x = loaded(case), points(case)
    whole = program.forward(x)
    torch.testing.assert_close(program.forward(x[:1]), whole[:1], rtol=1e-12, atol=1e-12)
    assert program.forward(x[:0]).shape == (0, *program.output_shape)


@each
def test_linear_is_run_without_its_constant(case: Case) -> None:
    for node, inputs in steps(loaded(case), points(case)):
        if isinstance(node, Affine):
            constant = node.run(*(torch.zeros_like(x) for x in inputs))
            torch.testing.assert_close(
                node.linear(*inputs), node.run(*inputs) - constant, rtol=1e-11, atol=1e-11
            )


@each
def test_into_is_run_to_the_last_bit(case: Case) -> None:
    """Else a row could depend on which of the two its block went through."""
    for node, inputs in steps(loaded(case), points(case).repeat(40, *[1] * len(case.shape))):
        if isinstance(node, Affine) and node.into is not None:
            expected = node.run(*inputs)
            out = torch.full_like(expected, torch.nan)
            node.into(*inputs, out)
            assert torch.equal(out, expected)


@each
def test_gains_bound_the_map(case: Case) -> None:
    for node, inputs in steps(loaded(case), points(case)[:1]):
        if not isinstance(node, Affine):
            continue
        jacobians = torch.autograd.functional.jacobian(node.run, tuple(inputs))
        matrix = torch.cat([j.reshape(node.run(*inputs).numel(), -1) for j in jacobians], 1)
        constant = node.run(*(torch.zeros_like(x) for x in inputs)).reshape(-1)
        gain = node.gain
        assert float(torch.linalg.matrix_norm(matrix, 2)) <= gain.norm
        assert int((matrix != 0).sum(1).max()) <= gain.terms
        if gain.kind in ("dense", "diagonal"):
            assert gain.rows is not None
            rows, constants = matrix.norm(dim=1).numpy(), 0.0 if gain.constants is None else gain.constants
            assert (constant.abs().numpy() <= constants + 1e-12).all()
            assert gain.rows.shape == rows.shape
            assert (rows <= gain.rows * (1 + 1e-12)).all()
            assert np.isclose(rows.max(), gain.rows.max(), rtol=0.5), "the bound says little"
        else:
            assert set(matrix.abs().unique().tolist()) <= {0.0, 1.0}
        if gain.kind == "diagonal":
            assert matrix.shape[0] == matrix.shape[1]
            assert torch.equal(matrix, torch.diag(matrix.diag()))


@each
def test_pieces_are_the_function(case: Case) -> None:
    for node, inputs in steps(loaded(case), points(case)):
        if not isinstance(node, Pointwise):
            continue
        (z,) = inputs
        assert len(node.slopes) == len(node.intercepts) == len(node.breakpoints) + 1
        b, s, c = (t.expand(len(t), *z.shape[1:]) for t in (node.breakpoints, node.slopes, node.intercepts))
        assert (b[1:] >= b[:-1]).all()
        below = (b[None] < z[:, None]).sum(1, keepdim=True)
        slope, intercept = (t.expand(len(z), *t.shape).gather(1, below)[:, 0] for t in (s, c))
        torch.testing.assert_close(node.run(z), slope * z + intercept, rtol=1e-15, atol=1e-15)
        torch.testing.assert_close(node.run(b), s[:-1] * b + c[:-1], rtol=1e-15, atol=1e-15)
        torch.testing.assert_close(node.run(b), s[1:] * b + c[1:], rtol=1e-15, atol=1e-15)


@each
def test_windows_are_the_maximum(case: Case) -> None:
    for node, inputs in steps(loaded(case), points(case)):
        if not isinstance(node, Maximum):
            continue
        flat = inputs[0].flatten(1).numpy()
        candidates = np.where(node.windows < 0, -np.inf, flat[:, node.windows])
        assert (node.windows >= 0).any(1).all()
        result = node.run(*inputs)
        assert tuple(result.shape[1:]) == node.output_shape
        np.testing.assert_array_equal(result.flatten(1), candidates.max(2))
        winners = candidates.argmax(2)
        assert torch.equal(
            torch.cat([node.pick(x[None], w[None]) for x, w in zip(inputs[0], winners, strict=True)]), result
        )


@pytest.mark.parametrize("case", MAXIMA, ids=lambda case: case.name)
def test_every_entry_enters_its_windows_in_one_round_of_its_own(case: Case) -> None:
    nodes = [node for node in loaded(case).nodes if isinstance(node, Maximum)]
    assert nodes
    for node in nodes:
        entered: dict[int, set[int]] = {}
        seen = [set() for _ in node.windows]
        for number, places in enumerate(node.rounds):
            for window, place in enumerate(places.tolist()):
                if place >= 0:
                    entered.setdefault(int(node.windows[window, place]), set()).add(number)
                    seen[window].add(place)
        assert all(len(rounds) == 1 for rounds in entered.values())
        assert [sorted(places) for places in seen] == [
            np.flatnonzero(row >= 0).tolist() for row in node.windows
        ]
        assert node.copies == np.bincount(node.windows[node.windows >= 0]).max()


@each
def test_stages_match_their_nodes(case: Case) -> None:
    program = loaded(case)
    bends = [node for node in program.nodes if not isinstance(node, Affine)]
    assert (
        [node.stage for node in bends] == [stage.index for stage in program.stages] == list(range(len(bends)))
    )
    assert len({stage.name for stage in program.stages}) == len(program.stages)
    entering = {
        node.stage: x[0].shape[1:] for node, x in steps(program, points(case)) if not isinstance(node, Affine)
    }
    for node, stage in zip(bends, program.stages, strict=True):
        assert stage.name and stage.name == node.name
        assert node.shape == tuple(entering[stage.index])
        if isinstance(node, Pointwise):
            assert (stage.shape, stage.candidates) == (node.shape, 0)
            assert stage.n_units == node.kinks.size
        else:
            assert stage.shape == node.output_shape
            assert (stage.n_units, stage.candidates) == node.windows.shape


@each
def test_slots_are_freed_after_their_last_reader_and_never_before(case: Case) -> None:
    program = loaded(case)
    live = {0}
    for node in program.nodes:
        assert set(node.inputs) <= live
        assert node.output not in live
        live.add(node.output)
        assert set(node.frees) <= live
        live -= set(node.frees)
    assert live == {program.output}
    assert program.n_slots == len(program.nodes) + 1


@each
def test_a_program_survives_a_pickle(case: Case) -> None:
    program, x = loaded(case), points(case)[:3]
    arrived = pickle.loads(cloudpickle.dumps(program))
    assert torch.equal(arrived.forward(x), program.forward(x))
    assert (arrived.digest, arrived.stages, arrived.info) == (program.digest, program.stages, program.info)
    assert arrived.values_alive == program.values_alive


@each
def test_fidelity_is_measured(case: Case) -> None:
    fidelity = loaded(case).fidelity
    assert fidelity is not None
    assert fidelity.float64 is None or fidelity.float64 < 1e-12
    assert fidelity.float32 is not None
    assert fidelity.float32 < 1e-5
    assert fidelity.dynamic_batch == (case.name not in FIXED)


def test_nodes_are_what_their_entry_says() -> None:
    made: dict[str, set[str]] = {}
    of_parts = {*spectra.MODULES, *spectra.FUNCTIONS}  # where a product of complex numbers makes sums, too
    for case in (*CASES, *MAXIMA):
        program = loaded(case)
        kinds = {stage.index: stage.kind for stage in program.stages}
        for node in program.nodes:
            if isinstance(node, Affine):
                kind = "layout" if case.name in of_parts else node.gain.kind
                made.setdefault(node.name, set()).add(kind)
            else:
                made.setdefault(kinds[node.stage], set()).add("stage")
    for name in made.keys() & OPERATIONS.keys():
        # an operation that broadcasts an argument first moves entries, whatever else it does
        assert made[name] - {"layout"} <= set(OPERATIONS[name].makes.split()), name
    covered = set(made) | {
        name for name, entry in OPERATIONS.items() if not entry.makes or OTHER_NAMES.get(name) in made
    }
    assert set(OPERATIONS) <= covered, "an operation has no case"


def test_complex_numbers_are_what_their_table_says() -> None:
    names = (*spectra.MODULES, *spectra.FUNCTIONS)
    made = {node.name for case in CASES if case.name in names for node in loaded(case).nodes}
    assert {"_fft_r2c", "_fft_c2c", "_fft_c2r"} <= made
    alone = {"complex", "view_as_complex", "view_as_real", "real", "imag"}
    conjugates = {"conj", "_conj", "conj_physical", "_conj_physical"}
    assert {name for name in COMPLEX if not name.startswith("_fft")} - alone - conjugates <= set(OPERATIONS)
