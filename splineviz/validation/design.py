"""Design of a validation: radii, directions, frames, planes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, get_args

from splineviz.choices import DIRECTIONS, Certify, Frame
from splineviz.errors import InputError
from splineviz.estimators.request import directions_of
from splineviz.inputs import LARGEST, MOST_FRAMES, one_or_several, real_number, whole_number

__all__ = ["Design"]


@dataclass(frozen=True)
class Design:
    """A design, checked.

    Attributes
    ----------
    radii
        Radii as given, input distance.
    medians
        Further radii by what they cut: that at which the median of n_cut over points and checkpoints is so
        many.
    directions
        Numbers of directions P of the proxy; 2, which spans the plane of the exact count, is always among
        them.
    frames
        Frames of the proxy; frame number f is that of seed ``seed + f``.
    planes
        Exact planes through each point: those of the first two directions of the first frames.
    frame
        One frame for all points, or a fresh one for each.
    seed
        Of frames, samples and the bootstrap.
    certify
        As for :func:`splineviz.arrange`.
    seconds
        Time for the exact counts of one radius at one checkpoint; neighbourhoods that are not finished then
        are left uncounted.
    examples
        Neighbourhoods of the best and of the worst agreement that are kept to be drawn, of each kind so many.
    """

    radii: tuple[float, ...] = (0.001,)
    medians: tuple[int, ...] = (1, 5, 20)
    directions: tuple[int, ...] = (2, DIRECTIONS)
    frames: int = 10
    planes: int = 2
    frame: Frame = "shared"
    seed: int = 0
    certify: Certify = "fast"
    seconds: float | None = None
    examples: int = 2

    @classmethod
    def of(cls, dim: int, **asked: Any) -> Design:
        """Check the request of a caller on inputs of ``dim`` dimensions; one number may stand for a tuple of
        one.

        Raises
        ------
        InputError
            Where a number is out of its range.
        """
        if asked.get("directions") is None:
            asked["directions"] = directions_of(None, dim)
        radii = one_or_several(asked.get("radii", cls.radii))
        asked["radii"] = tuple(real_number(radius, "radii", above=0.0) for radius in radii)
        for name in ("medians", "directions"):
            several = one_or_several(asked.get(name, getattr(cls, name)))
            asked[name] = tuple(whole_number(one, name, 1) for one in several)
        if asked.get("seconds") is not None:
            asked["seconds"] = real_number(asked["seconds"], "seconds", above=0.0)
        for name, least, most in (
            *(("frames", 1, MOST_FRAMES), ("planes", 1, MOST_FRAMES), ("examples", 0, MOST_FRAMES)),
            ("seed", 0, LARGEST),
        ):
            asked[name] = whole_number(asked.get(name, getattr(cls, name)), name, least, most)
        design = cls(**asked | {"directions": tuple(sorted({2, *asked["directions"]}))})
        design._check(dim)
        return design

    def _check(self, dim: int) -> None:
        if not self.radii and not self.medians:
            raise InputError(
                "a validation needs a radius",
                hint="radii=0.005, or medians=5 for the radius that cuts 5 units",
            )
        if dim < 2:
            raise InputError(
                "a plane needs an input space of at least two dimensions, got 1",
                hint="sv.segment(model, a, b), in Python, for the cells along a line",
            )
        if max(self.directions) > dim:
            raise InputError(
                f"{max(self.directions)} orthonormal directions do not fit into an input space of {dim} "
                f"dimensions",
                hint=f"choose at most {dim}",
            )
        if self.planes > self.frames:
            raise InputError(
                f"planes are those of the first frames, so there can be at most {self.frames}, got "
                f"{self.planes}",
                hint="ask for as many frames",
            )
        for name, kind in (("frame", Frame), ("certify", Certify)):
            if getattr(self, name) not in get_args(kind):
                raise InputError(
                    f"{name} must be one of {', '.join(get_args(kind))}, got {getattr(self, name)!r}"
                )

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the radii, in the order of the study: given ones first."""
        units = (f"median {m} cut{'s' if m != 1 else ''}" for m in self.medians)
        return (*(f"r = {radius:g}" for radius in self.radii), *units)

    def as_json(self) -> dict[str, Any]:
        """All of it, for files and digests."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
