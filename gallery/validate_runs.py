"""Hold the proxy against exact counts over training, as the appendix of the proxy's paper does in figure 14.

``python gallery/validate_runs.py NAME --runs FOLDER``: 500 training digits, r = .001 as published and radii
by what they cut, P = 2 on the very plane that is counted exactly and P = 25, 10 frames, 2 planes a point, at
about 20 log-spaced checkpoints that ``train_runs.py`` made. The report and the study are written to
``validation-NAME.html`` and ``.npz`` beside this script. Some minutes on two cores; jobs that are done are
kept beside the checkpoints.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from train_runs import RUNS, digits

import splineviz as sv
from splineviz.report import write_report
from splineviz.validation import findings
from splineviz.validation.verdict import verdict

HERE = Path(__file__).parent
N_POINTS = 500


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=RUNS)
    parser.add_argument(
        "--runs", type=Path, required=True, help="folder with the checkpoints of each run, from train_runs.py"
    )
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the report")
    parser.add_argument("--points", type=int, default=N_POINTS, help="training digits")
    parser.add_argument("--jobs", type=int, help="workers; by default all cores")
    given = parser.parse_args()
    network = RUNS[given.name].network().eval()
    runs = sv.Checkpoints(sv.load_program(network, input_shape=(784,)), given.runs / given.name)
    x = digits()[0][: given.points].double().numpy()
    about = {
        "command": " ".join(["python", "gallery/validate_runs.py", given.name]),
        "data": f"the first {len(x)} training digits",
    }

    def told(done: int, of: int) -> None:
        print(f"{done} of {of}", file=sys.stderr)

    study = sv.validate(
        runs, x, folder=given.runs / f"{given.name}-jobs", jobs=given.jobs, about=about, progress=told
    )
    widths = (784, *RUNS[given.name].hidden, 10)
    study = replace(study, model=f"{'-'.join(map(str, widths))}, {given.name}")
    found = findings(study)
    study.save(given.out / f"validation-{given.name}.npz")
    write_report(study, given.out / f"validation-{given.name}.html", found=found)
    print("\n".join(verdict(study, found)))


if __name__ == "__main__":
    main()
