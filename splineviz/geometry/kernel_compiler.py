"""Numba's compiler, with one optimisation for a kernel and all its parts in place of one for each of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from llvmlite.binding import Linkage
from numba.core.codegen import CodeLibrary, JITCodeLibrary
from numba.core.compiler import Compiler, DefaultPassBuilder, Flags
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering

__all__ = ["KernelCompiler", "PartCompiler"]


class _Library(JITCodeLibrary):  # type: ignore[misc] # of a package without types
    """LLVM code of one function of ours, of which only what is defined there is simplified.

    Numba sets up all function passes for each function that a module declares, too: most of those that a part
    knows of.
    """

    _linking_libraries: list[CodeLibrary]

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout
        passes, builder = self._codegen._function_pass_manager()
        for function in ll_module.functions:
            if not function.is_declaration:
                passes.run(function, builder)


class _PartLibrary(_Library):
    """Code of what only kernels call: it is optimised, and made machine code of, within each kernel alone.

    Numba does both with every function, and each time with a copy of all that it calls.
    """

    @property
    def codegen(self) -> Any:
        """Numba's own, except that there is no machine code that the function's environment has a place
        in."""
        return _WithoutEnvironments(self._codegen)

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalized = True

    def own_module(self) -> Any:
        """Code of this part alone, to be linked into others."""
        self._ensure_finalized()
        return super()._get_module_for_linking()

    def _get_module_for_linking(self) -> Any:
        """Code of this part and of all that it calls, for a function that is no kernel of ours."""
        whole = self.own_module().clone()
        parts, others = _below(self._linking_libraries)
        for part in parts:
            whole.link_in(part.own_module(), preserve=True)
        for other in others:
            whole.link_in(other._get_module_for_linking(), preserve=True)
        return whole


class _KernelLibrary(_Library):
    """Code of what Python calls, with that of all its parts."""

    def finalize(self) -> None:
        parts, self._linking_libraries = _below(self._linking_libraries)
        for part in parts:
            self._reload_init.update(part._reload_init)
            self._final_module.link_in(part.own_module(), preserve=True)
        for function in self._final_module.functions:
            if function.linkage == Linkage.linkonce_odr:  # nobody else calls it here
                function.linkage = "internal"
        super().finalize()


class _WithoutEnvironments:
    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, environment: object) -> None:
        pass


def _below(libraries: Iterable[CodeLibrary]) -> tuple[list[_PartLibrary], list[CodeLibrary]]:
    """All parts that are called, directly or by other parts, and all other libraries that any of them
    calls."""
    found: dict[CodeLibrary, None] = {}
    open_ = list(libraries)
    while open_:
        library = open_.pop()
        if library not in found:
            found[library] = None
            if isinstance(library, _PartLibrary):
                open_.extend(library._linking_libraries)
    parts = [library for library in found if isinstance(library, _PartLibrary)]
    return parts, [library for library in found if not isinstance(library, _PartLibrary)]


class _Lowering(NativeLowering):  # type: ignore[misc]
    """Numba's lowering to LLVM, into a library of ours."""

    library: ClassVar[type[_Library]]

    def run_pass(self, state: Any) -> bool:
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


@register_pass(mutates_CFG=False, analysis_only=False)
class _KernelLowering(_Lowering):
    _name = "kernel_lowering"
    library = _KernelLibrary


@register_pass(mutates_CFG=False, analysis_only=False)
class _PartLowering(_Lowering):
    _name = "part_lowering"
    library = _PartLibrary


class _Options(Flags):  # type: ignore[misc]
    """Options of one compilation, of which all that are alike are entered as one object.

    Numba looks functions up by the options that are entered, tens of thousands of times, and hashes and
    compares these option by option.
    """

    __slots__ = ()

    def copy(self) -> _Entered:
        entered = _Entered(self)
        return _ENTERED.setdefault(entered, entered)


class _Entered(Flags):  # type: ignore[misc]
    """Options that stay as they are, with their hash."""

    __slots__ = ("_hash",)

    def __init__(self, options: Flags) -> None:
        super().__init__(options)
        self._hash: int = super().__hash__()

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or bool(super().__eq__(other))


_ENTERED: dict[_Entered, _Entered] = {}


class KernelCompiler(Compiler):  # type: ignore[misc]
    """Compiles what Python calls."""

    lowering: ClassVar[type[_Lowering]] = _KernelLowering

    def _compile_core(self) -> Any:
        self.state.flags = _Options(self.state.flags)
        return super()._compile_core()

    def define_pipelines(self) -> list[PassManager]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [
            (self.lowering if each is NativeLowering else each, about) for each, about in passes.passes
        ]
        passes.finalize()
        return [passes]


class PartCompiler(KernelCompiler):
    """Compiles what only kernels call, up to code that they take in."""

    lowering = _PartLowering
