"""Parts are compiled within kernels alone, whatever calls them."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from splineviz.geometry.compiled import part
from splineviz.geometry.kernel_compiler import KernelCompiler


@part()
def halved(x: np.ndarray) -> np.ndarray:
    return 0.5 * x


@part()
def quartered(x: np.ndarray) -> np.ndarray:
    return halved(halved(x))


@part()
def checked(n: int) -> int:
    if n < 0:
        raise ValueError("below zero")
    return n


def _sum_of_quarters(x: np.ndarray, n: int) -> float:
    return float(quartered(x).sum() + checked(n))


@pytest.mark.parametrize(
    "options",
    [{"pipeline_class": KernelCompiler, "no_cfunc_wrapper": True}, {}],
    ids=["kernel", "numba's own"],
)
def test_parts_that_call_parts(options: dict[str, object]) -> None:
    """Also for functions that are no kernels, as those of the tests."""
    compiled = numba.njit(**options)(_sum_of_quarters)
    assert compiled(np.arange(5.0), 1) == 3.5
    with pytest.raises(ValueError, match="below zero"):
        compiled(np.arange(5.0), -1)


def test_no_machine_code_is_made_of_a_part_alone() -> None:
    numba.njit(pipeline_class=KernelCompiler)(_sum_of_quarters)(np.arange(2.0), 0)
    (compiled,) = halved.overloads.values()
    assert compiled.library.get_pointer_to_function(compiled.fndesc.mangled_name) == 0
    assert any(not function.is_declaration for function in compiled.library.own_module().functions)
