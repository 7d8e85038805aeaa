"""State dicts from files, where no network says which one is meant."""

from __future__ import annotations

from pathlib import Path

from splineviz.errors import InputError
from splineviz.program.state_dicts.entries import State, entry, held, state_dicts
from splineviz.program.state_dicts.names import bare_names
from splineviz.program.weight_files import read_content
from splineviz.program.weights import some

__all__ = ["load_weights"]


def load_weights(path: str | Path, key: str | None = None) -> State:
    """Read the state dict of a file, or of the folder of a network, without running code from it.

    Its format is told by its content. Names come without what data-parallel, averaged and compiled modules
    add.

    Parameters
    ----------
    path
        What torch.save wrote, be its suffix .pt, .ckpt, .bin or another; a .safetensors or .npz file, or the
        index of several; a pickle of arrays.
    key
        The entry of the file that holds the state dict, where it holds several: ``"ema"``, say.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no state dict, or none under ``key``, or several.
    """
    content = read_content(path)
    if key is not None:
        content = entry(content, key, f"'{path}'")
    found = state_dicts(content)
    found = {p: state for p, state in found.items() if any(v.dim() for v in state.values())} or found
    if not found:
        where = "" if key is None else f" under the key '{key}'"
        raise InputError(
            f"'{path}' holds no state dict{where}{held(content)}",
            hint="save it with torch.save(model.state_dict(), path)",
        )
    if len(found) > 1:
        raise InputError(
            f"'{path}' holds several state dicts: {some(path or '(no key)' for path in found)}",
            hint=f"choose one by its key: {list(found)[-1]}",
        )
    (state,) = found.values()
    return {bare: state[name] for name, bare in bare_names(state).items() if bare != "n_averaged"}
