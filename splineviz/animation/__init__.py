"""A network's cells over its training: measured checkpoint by checkpoint, drawn frame by frame, put together
as one animation."""

from __future__ import annotations

from splineviz.animation.animating import animate, follow
from splineviz.animation.animation_result import Animation

__all__ = ["Animation", "animate", "follow"]
