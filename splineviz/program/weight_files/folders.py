"""Folders that hold the weights of one network, and the files that its weights are spread over."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from splineviz.errors import InputError
from splineviz.program.weight_files.formats import unreadable

__all__ = ["main_file", "parts", "refuse_folder"]

_MAIN = tuple(
    f"{stem}{suffix}"
    for stem in ("model", "pytorch_model", "diffusion_pytorch_model")
    for suffix in (".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json")
)
"""Names of the file of weights in folders of Hugging Face's libraries, the first choice first"""
_SECOND = ("model_1.safetensors", "pytorch_model_1.bin")
"""Names that Accelerate gives to the weights of a second network"""
_ADAPTERS = ("adapter_model.safetensors", "adapter_model.bin")


def main_file(folder: Path) -> Path | None:
    """The file of weights in a folder that a trainer wrote for one network; None in any other folder."""
    if any((folder / name).is_file() for name in (*_SECOND, *_ADAPTERS)):
        return None
    return next((folder / name for name in _MAIN if (folder / name).is_file()), None)


def refuse_folder(folder: Path) -> InputError:
    """The error for a folder that is not the one of a network."""
    if any((folder / name).is_file() for name in _ADAPTERS):
        return InputError(
            f"'{folder}' holds an adapter (LoRA) in a file of its own, apart from the weights that it adapts",
            hint="merge it into its model, and save that: model.merge_and_unload().save_pretrained('merged')",
        )
    if any((folder / name).is_file() for name in _SECOND):
        return InputError(f"'{folder}' holds the weights of several networks", hint="name the file in it")
    if (folder / ".metadata").is_file():
        return InputError(
            f"'{folder}' is a distributed checkpoint of torch, which is not read since it can run code",
            hint="python -m torch.distributed.checkpoint.format_utils dcp_to_torch "
            f"{shlex.quote(str(folder))} weights.pt",
        )
    return InputError(
        f"'{folder}' is a folder, not a file of weights, and holds no {_MAIN[0]} or {_MAIN[6]}",
        hint="name the file in it",
    )


def parts(index: Path) -> list[Path]:
    """The files that an index such as model.safetensors.index.json names, each once.

    Raises
    ------
    InputError
        If it is no such index, or one of them is missing.
    """
    try:
        content = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unreadable(index, "JSON", error) from error
    where = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(where, dict) or not where:
        raise InputError(
            f"'{index}' is no index of weights: it has no 'weight_map'",
            hint="name the file of weights itself",
        )
    files = [index.parent / str(name) for name in sorted(set(where.values()))]
    if missing := [file.name for file in files if not file.is_file()]:
        raise InputError(
            f"'{index}' names files that are not beside it: {', '.join(missing)}", hint="copy them there"
        )
    return files
