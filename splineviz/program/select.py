"""A program cut down to some of its outputs, for the level set of one output or the boundary between a few
classes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral

import torch
from torch import Tensor

from splineviz.errors import InputError
from splineviz.inputs import one_or_several
from splineviz.program.models import Model
from splineviz.program.program import Affine, Gain, Program
from splineviz.program.rows import as_rows
from splineviz.program.sources import program_for
from splineviz.program.state_dicts import Weights

__all__ = ["select_outputs"]


def select_outputs(program: Model | Program, outputs: Sequence[int]) -> Program:
    """Restrict a network to the chosen entries of its (flattened) output, in the given order.

    Parameters
    ----------
    program
        A program, or whatever :func:`splineviz.load_program` takes.
    outputs
        Flat indices of output entries, each once.

    Raises
    ------
    InputError
        If there is no such output, an index comes twice, or none is given.
    """
    program = program_for(program, [])
    n_outputs = math.prod(program.output_shape)
    chosen = one_or_several(outputs)
    places = [one for one in chosen if isinstance(one, Integral) and 0 <= int(one) < n_outputs]
    if not chosen or not len(set(places)) == len(places) == len(chosen):
        raise InputError(
            f"expected different outputs from 0 to {n_outputs - 1}, got "
            f"{', '.join(map(str, chosen)) or 'none'}"
        )
    columns = torch.tensor(chosen)

    def choose(values: Tensor) -> Tensor:
        return as_rows(values)[:, columns]

    # Slot 0, the input, stays alive for the walk's own use.
    frees = () if program.output == 0 else (program.output,)
    node = Affine(
        name="selected_outputs",
        module="",
        source="",
        inputs=(program.output,),
        output=program.n_slots,
        frees=frees,
        run=choose,
        linear=choose,
        gain=Gain("layout"),
    )

    def rebind(weights: Weights, key: str | None) -> Program:
        return select_outputs(program.rebind(weights, key), chosen)

    return replace(
        program,
        nodes=(*program.nodes, node),
        n_slots=program.n_slots + 1,
        output=program.n_slots,
        output_shape=(len(chosen),),
        digest=hashlib.sha256(f"{program.digest} outputs {chosen}".encode()).hexdigest(),
        _rebind=rebind,
    )
