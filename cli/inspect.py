"""`splineviz inspect`: what a network is, and what blocks exactness."""

from __future__ import annotations

from typing import Any

import click

from .options import common_options, model_options


@click.command("inspect", short_help="Show a network's stages and units, and what blocks exactness.")
@model_options
@common_options
def command(**given: Any) -> None:
    """Show the stages and units of MODEL; list everything that blocks exactness, and exit with 3, if anything
    does.

    MODEL is demo, an .onnx file, a .pt2 file of torch.export, or module:factory with --weights FILE.
    """
    from .inspect_job import run_inspect

    options = {name: given[name] for name in ("weights", "input_shape", "logits", "as_json")}
    run_inspect(given["model"], **options)
