"""A study as a report: HTML, Markdown, JSON, and its figures."""

from __future__ import annotations

from splineviz.report.figures import save_figures
from splineviz.report.writing import json_report, write_report

__all__ = ["json_report", "save_figures", "write_report"]
