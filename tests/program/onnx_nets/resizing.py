"""Reductions, and resizing."""

from __future__ import annotations

import numpy as np

from .building import IMAGE, SERIES, Cases, op, whole

__all__ = ["CASES"]

CASES = Cases()

for _kind in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1"):
    _newer = 13 if _kind == "ReduceSum" else 18
    CASES.add(_kind, IMAGE, op(_kind, "x", axes=[2, -1]), opset=11)
    CASES.add(f"{_kind} input", IMAGE, op(_kind, "x a", keepdims=0), a=whole(1), opset=_newer)
    CASES.add(f"{_kind} all", IMAGE, op(_kind, "x"), opset=_newer)
    CASES.add(f"{_kind} batch alone", SERIES, op(_kind, "x a", keepdims=0), a=whole(0), opset=_newer)
    CASES.add(f"{_kind} none", SERIES, op(_kind, "x", noop_with_empty_axes=1), opset=_newer)

# Resizing
_scales, _S = np.array([1.0, 1.0, 2.0, 1.5], np.float32), (1, 2, 4, 4)
_old = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
CASES.add(
    "upsample attributes",
    _S,
    op("Upsample", "x", scales=[1.0, 1.0, 2.0, 1.5]),
    opset=7,
    same=[
        op("Constant", "", "s", value_floats=[1.0, 1.0, 2.0, 1.5]),
        op("Resize", "x - s", mode="nearest", **_old),
    ],
)
CASES.add(
    "upsample",
    _S,
    op("Upsample", "x s", mode="linear"),
    opset=9,
    s=_scales,
    same=[op("Resize", "x - s", mode="linear", **_old)],
)
CASES.add(
    "resize",
    _S,
    op("Resize", "x s", mode="nearest"),
    opset=10,
    s=_scales,
    same=[op("Resize", "x - s", mode="nearest", **_old)],
)
for _mode in ("nearest", "linear", "cubic"):
    for _where in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"):
        CASES.add(
            f"resize {_mode} {_where}",
            _S,
            op("Resize", "x - s", mode=_mode, coordinate_transformation_mode=_where),
            opset=13,
            s=_scales,
            tolerance=1e-11 if _mode != "cubic" else 1e-5,
        )
for _rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
    _a = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": _rounding}
    CASES.add(
        f"resize {_rounding}",
        _S,
        op("Resize", "x - - n", mode="nearest", **_a),
        opset=13,
        n=whole(1, 2, 8, 2),
    )
CASES.add("resize sizes", _S, op("Resize", "x - - n", mode="linear"), opset=13, n=whole(1, 2, 8, 2))
CASES.add("resize axes", _S, op("Resize", "x - - n", mode="linear", axes=[2, 3]), opset=18, n=whole(8, 8))
CASES.add(
    "resize symmetric",
    _S,
    op("Resize", "x - s", mode="linear", coordinate_transformation_mode="half_pixel_symmetric"),
    opset=19,
    s=np.array([1, 1, 1.2, 1.9], np.float32),
)
CASES.add(
    "resize cubic excluding",
    _S,
    op("Resize", "x - s", mode="cubic", exclude_outside=1, cubic_coeff_a=-0.5),
    opset=13,
    s=_scales,
    tolerance=1e-5,
)
for _mode in ("nearest", "linear"):
    CASES.add(
        f"resize region that reaches out {_mode}",
        _S,
        op(
            "Resize",
            "x r - n",
            mode=_mode,
            coordinate_transformation_mode="tf_crop_and_resize",
            extrapolation_value=2.5,
        ),
        opset=13,
        r=np.array([0, 0, -0.5, 0.25, 1, 1, 0.75, 1.5]),
        n=whole(1, 2, 6, 5),
        tolerance=1e-5,
    )
for _mode in ("linear", "cubic"):
    for _outside in (0, 1):
        for _lengths in ((3, 7), (2, 3)):
            CASES.add(
                f"resize antialiased {_mode} {_outside} {_lengths}",
                (1, 2, 7, 6),
                op("Resize", "x - - n", mode=_mode, antialias=1, exclude_outside=_outside),
                opset=18,
                n=whole(1, 2, *_lengths),
                tolerance=1e-5,
            )
CASES.add(
    "resize region",
    _S,
    op("Resize", "x r - n", mode="linear", coordinate_transformation_mode="tf_crop_and_resize"),
    opset=13,
    r=np.array([0, 0, 0.25, 0, 1, 1, 0.75, 1.0]),
    n=whole(1, 2, 3, 4),
)
CASES.add(
    "resize not larger",
    _S,
    op("Resize", "x - - n", mode="nearest", axes=[2, 3], keep_aspect_ratio_policy="not_larger"),
    opset=18,
    n=whole(8, 6),
)
