"""Beginning of a process of its own: ``python -m tests.soak.launcher BEGUN FAULT ARGUMENT...`` in its folder."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from splineviz_cli import main as command
from tests.soak.faults import Fault, disturbed
from tests.soak.requests import OUT

__all__ = ["main"]


def main(arguments: Sequence[str]) -> None:
    """Run one command line as the installed command does, with what of a fault happens within the process."""
    begun, fault = Path(arguments[0]), Fault(**json.loads(arguments[1]))
    sys.argv = ["splineviz", *arguments[2:]]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also in the background of a script
    if fault.kind.signal == signal.SIGXFSZ:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # ends the process in the middle of a write
    with disturbed(fault, Path(OUT)):
        begun.touch()
        if arguments[2] == "python":
            from tests.soak.scripts import run_script

            sys.exit(run_script(*arguments[3:]))
        command.main()


if __name__ == "__main__":
    main(sys.argv[1:])
