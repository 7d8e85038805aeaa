"""Steps of training that the names of checkpoints tell."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["step_in_name"]

_OF_STEP = re.compile(
    r"(?:(?<![a-z\d])(?:e|ep|it)|step|iter|iteration|epoch|checkpoint|ckpt|update|round)s?"
    r"[-_=. ]?(-?\d+)(?!\d*\.\d)([km](?![a-z\d]))?",
    re.IGNORECASE,
)
_OF_SOMETHING_ELSE = re.compile(
    r"(?<![a-z])(?:v|ver|version|seed|fold|rank|run|trial|gpu|fp|bf|lr|bs|wd|top)[-_=]?\d+(?:\.\d+)?(?:e-?\d+)?"
    r"|(?<!\d)20\d\d[-_]?[01]\d[-_]?[0-3]\d(?:[-_T]\d\d[-_:]?\d\d(?:[-_:]?\d\d)?)?(?!\d)",
    re.IGNORECASE,
)
"""Numbers of versions and settings, and dates"""
_ALONE = re.compile(r"(?<![a-z\d])(?<!\d\.)((?:(?<![^=_])-)?\d+)(?!\d|\.\d|[a-z])", re.IGNORECASE)
_ANY = re.compile(r"(?<!\d)(?<!\d\.)(\d+)(?!\d|\.\d)")
_THOUSANDS = {"": 1, "k": 1000, "m": 1_000_000}


def step_in_name(path: Path) -> int | None:
    """The last number after a word such as ``step`` or ``epoch`` in the name of a file; or else its last
    whole number, one by itself rather than one that ends a word; or else that of a folder which it lies in.

    Examples
    --------
    >>> names = "run-3/step=00100.ckpt", "resnet18_e5.pth", "model_v2.pt", "checkpoint-7/model.safetensors"
    >>> [step_in_name(Path(name)) for name in names]
    [100, 5, None, 7]
    >>> [step_in_name(Path(name)) for name in ("epoch=3-step=420-v1.ckpt", "step-1.pt", "step=-1.pt")]
    [420, 1, -1]
    """
    name = path.stem
    if (step := _after_word(name)) is not None:
        return step
    rest = _OF_SOMETHING_ELSE.sub(" ", name)
    if numbers := _ALONE.findall(rest) or _ANY.findall(rest):
        return int(numbers[-1])
    for folder in (path.parent.name, path.parent.parent.name):
        if (step := _after_word(folder)) is not None:
            return step
        if folder.isdecimal():
            return int(folder)
    return None


def _after_word(name: str) -> int | None:
    found = _OF_STEP.findall(name)
    return int(found[-1][0]) * _THOUSANDS[found[-1][1].lower()] if found else None
