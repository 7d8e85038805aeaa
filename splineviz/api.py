"""The one-liner for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from splineviz.errors import InputError
from splineviz.plane import Plane, Window

if TYPE_CHECKING:
    from splineviz.arrangement.result import Arrangement
    from splineviz.engine.budget import Limits
    from splineviz.program.first_run import Shape
    from splineviz.program.models import Model
    from splineviz.program.one_input import Fixed, Output
    from splineviz.program.program import Program
    from splineviz.program.state_dicts import Weights

__all__ = ["slice"]


def slice(
    model: Model | Program,
    points: Any,
    *,
    margin: float = 0.25,
    input_shape: Shape | None = None,
    weights: Weights | None = None,
    weights_key: str | None = None,
    stage: int | None = None,
    logits: bool = False,
    fix: Fixed | None = None,
    output: Output | None = None,
    **limits: Unpack[Limits],
) -> Arrangement:
    """The exact cells of a network on the plane through three points: program, plane, window and arrangement
    in one call.

    Parameters
    ----------
    model
        Whatever :func:`splineviz.load_program` takes, or a program that it made, of which ``input_shape``,
        ``weights``, ``logits``, ``fix`` and ``output`` have been told.
    points
        Three points of input space, arrays or tensors that flatten to the model's input; or one array or
        tensor of the three.
    margin
        How far the window reaches beyond the points, as a share of its longer side.
    input_shape
        Shape of one input, without batch; by default the model's own, or else that of the points.
    weights, weights_key
        State dict, or a file that holds one; and its key, where a file holds several.
    stage
        Stop after this stage.
    logits, fix, output
        Cut off a last softmax, sigmoid or tanh; hold other inputs fixed; choose one of several outputs: as in
        :func:`splineviz.load_program`.
    **limits
        ``max_memory``, ``max_cells``, ``seconds``, ``jobs``, ``device``, ``certify``: budgets, workers, where
        products are taken, and proofs, as for :func:`splineviz.arrange`.

    Returns
    -------
    Arrangement
        ``.draw()`` shows it.

    Raises
    ------
    InputError
        If there are not three points, they span no plane, or they do not fit the model.
    NotPiecewiseAffineError
        If the network is not continuous piecewise affine.

    Examples
    --------
    >>> import splineviz as sv
    >>> arr = sv.slice("demo", sv.demo.load_points())
    >>> arr.n_vertices - arr.n_edges + arr.n_cells
    1
    """
    from splineviz.engine.arrange import arrange
    from splineviz.program.sources import program_for

    anchors = tuple(points)
    if len(anchors) != 3:
        raise InputError(
            f"a plane goes through three points, got {len(anchors)}",
            hint="sv.Plane.at(x), and sv.arrange on it, for one point; sv.segment(model, a, b) for two",
        )
    plane = Plane.through(*anchors)
    program = program_for(
        model,
        [plane.input_shape],
        input_shape=input_shape,
        weights=weights,
        weights_key=weights_key,
        logits=logits,
        fix=fix,
        output=output,
    )
    window = Window.around(plane, margin)
    return arrange(program, plane, window, stage=stage, **limits)
