"""Labels of legends as text, whatever is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from splineviz.showing import in_line

if TYPE_CHECKING:
    from matplotlib.legend import Legend

__all__ = ["write_labels"]


def write_labels(legend: Legend, labels: Sequence[str]) -> None:
    """Write labels into a legend that was made with others in their places.

    Given when it is made, a label with dollars would be a formula, and one that begins with an underscore be
    left out.
    """
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_text(in_line(label))
        text.set_parse_math(False)
