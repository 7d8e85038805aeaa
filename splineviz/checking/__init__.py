"""An independent checker: a saved arrangement against its network, without the code that made it."""

from __future__ import annotations

from splineviz.checking.checker import check
from splineviz.checking.report import Check, CheckReport, Verdict

__all__ = ["Check", "CheckReport", "Verdict", "check"]
