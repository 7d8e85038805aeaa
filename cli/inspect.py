"""`splineviz inspect`: the command."""

from __future__ import annotations

import click

from .declaring import generated
from .options import ModelSource, Reporting


@click.command("inspect", short_help="Show a network's stages and units, and what blocks exactness.")
@generated(ModelSource, Reporting)
def command(network: ModelSource, reporting: Reporting) -> None:
    """Show the stages and units of MODEL; list everything that blocks exactness, and exit with 3, if anything
    does.

    MODEL is demo, an .onnx file, a .pt2 file of torch.export, or module:factory with --weights FILE.
    """
    from .inspect_job import run_inspect

    run_inspect(network, as_json=reporting.as_json, quiet=reporting.quiet)
