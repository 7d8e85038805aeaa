"""The estimators against the exact counts: designs, studies, statistics. The only place that sees both."""

from __future__ import annotations

from splineviz.validation.findings import Findings, findings
from splineviz.validation.run import Validation, validate
from splineviz.validation.study import Study

__all__ = ["Findings", "Study", "Validation", "findings", "validate"]
