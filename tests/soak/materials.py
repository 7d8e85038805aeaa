"""Tiny networks and data, sound, hostile and damaged, as the files and words that a command line takes."""

from __future__ import annotations

import io
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tests.soak import nets

__all__ = ["Materials"]

_SUFFIXES = (".pt", ".npz", ".safetensors")


class Materials:
    """Files of one trial in the current folder; every draw is of its generator alone.

    Names are those under which a command finds them. A share of what is drawn is hostile or damaged, and
    noted in ``spoilt``: the trial then asks how that is refused.
    """

    def __init__(self, folder: Path, rng: np.random.Generator, hostile: float = 0.07) -> None:
        self.folder, self.rng, self._hostile = folder, rng, hostile
        self.spoilt = list[str]()
        shutil.copy(nets.__file__, folder / "nets.py")

    def one_of(self, *choices: str) -> str:
        return choices[int(self.rng.integers(len(choices)))]

    def happens(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def network(self) -> list[str]:
        """MODEL with six inputs and three outputs, and what goes with it."""
        if self.happens(self._hostile):
            bad = self.one_of(
                "nets:smooth", "nets:failing", "nets:missing", "gone.onnx", "torn.onnx", "torn.pt2"
            )
            if bad.startswith("torn"):
                whole = _onnx() if bad.endswith(".onnx") else _exported()
                self._write(bad, whole[: int(self.rng.integers(len(whole)))])
            self.spoilt.append(f"model {bad}")
            return [bad]
        model = self.one_of("nets:six", "nets:six", "nets:skipping", "net.onnx", "net.pt2")
        if model == "net.onnx":
            self._write(model, _onnx())
        elif model == "net.pt2":
            self._write(model, _exported())
        elif self.happens(0.6):
            return [model, "--weights", self.weights(model)]
        return [model]

    def weights(self, model: str) -> str:
        """A file of weights for a factory, now and then damaged, foreign, or one that would run code."""
        name = f"weights{self.one_of(*_SUFFIXES)}"
        values = {
            key: value * self.rng.uniform(0.5, 2.0) for key, value in _module(model).state_dict().items()
        }
        self._write_weights(name, values)
        if self.happens(self._hostile):
            self._spoil_weights(name, values)
        return name

    def checkpoints(self, count: int) -> str:
        """A folder of checkpoints of nets:six."""
        (self.folder / "run").mkdir(exist_ok=True)
        values = {key: value.clone() for key, value in _module("nets:six").state_dict().items()}
        for step in range(count):
            values = {key: value * 1.1 + 0.05 for key, value in values.items()}
            self._write_weights(f"run/step-{step:03}.pt", values)
        if self.happens(self._hostile):
            torn = self.folder / "run/step-001.pt"
            torn.write_bytes(torn.read_bytes()[:200])
            self.spoilt.append("checkpoint torn")
        return "run"

    def data(self, count: int = 12) -> list[str]:
        """--data FILE of points with six numbers."""
        name = f"data{self.one_of('.npz', '.npy', '.pt', '.csv', '.safetensors', '.parquet')}"
        points = self.rng.normal(size=(count, 6))
        if self.happens(self._hostile):
            name = self._spoil_data(name, points)
        else:
            self._write_points(name, points)
        return ["--data", name]

    def arrangement(self) -> str:
        """A saved arrangement of nets:six, now and then damaged."""
        import splineviz as sv

        arr = sv.slice(_module("nets:six"), self.rng.normal(size=(3, 6)))
        sv.save(arr, self.folder / "cells.npz", affine=self.happens(0.85))
        if self.happens(self._hostile):
            held = bytearray((self.folder / "cells.npz").read_bytes())
            held[int(self.rng.integers(len(held)))] ^= 1 << int(self.rng.integers(8))
            self._write("cells.npz", bytes(held[: None if self.happens(0.5) else len(held) // 2]))
            self.spoilt.append("arrangement damaged")
        return "cells.npz"

    def _write(self, name: str, held: bytes) -> None:
        (self.folder / name).write_bytes(held)

    def _write_weights(self, name: str, values: dict[str, torch.Tensor]) -> None:
        path = self.folder / name
        if path.suffix == ".npz":
            np.savez(path, **{key: value.numpy() for key, value in values.items()})
        elif path.suffix == ".safetensors":
            from safetensors.torch import save_file

            save_file(values, path)
        else:
            torch.save(values, path)

    def _spoil_weights(self, name: str, values: dict[str, torch.Tensor]) -> None:
        kind = self.one_of("torn", "not finite", "foreign", "empty", "a pickle that runs code")
        self.spoilt.append(f"weights {kind}")
        if kind == "torn":
            held = (self.folder / name).read_bytes()
            self._write(name, held[: int(self.rng.integers(len(held)))])
        elif kind == "not finite":
            self._write_weights(name, {key: value * float("nan") for key, value in values.items()})
        elif kind == "foreign":
            self._write_weights(name, {f"other.{key}": value for key, value in values.items()})
        else:
            self._write(name, b"" if kind == "empty" else b"cos\nsystem\n(S'touch ran-code'\ntR.")

    def _write_points(self, name: str, points: np.ndarray) -> None:
        path, y = self.folder / name, np.arange(len(points)) % 3
        if path.suffix == ".npz":
            np.savez(path, x=points, y=y)
        elif path.suffix == ".npy":
            np.save(path, points)
        elif path.suffix == ".pt":
            torch.save({"x": torch.tensor(points), "y": torch.tensor(y)}, path)
        elif path.suffix == ".safetensors":
            from safetensors.numpy import save_file

            save_file({"x": points, "y": y}, path)
        elif path.suffix == ".parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            columns = {f"x{k}": column for k, column in enumerate(points.T)}
            pq.write_table(pa.table({**columns, "y": y}), path)
        else:
            rows = [",".join([*(f"x{k}" for k in range(points.shape[1])), "y"])]
            rows += [
                ",".join(map(repr, [*map(float, row), int(label)]))
                for row, label in zip(points, y, strict=True)
            ]
            path.write_text("\n".join(rows) + "\n", encoding="utf-8")

    def _spoil_data(self, name: str, points: np.ndarray) -> str:
        kind = self.one_of("torn", "not finite", "alike", "huge", "narrow", "no points", "gone", "text")
        self.spoilt.append(f"data {kind}")
        if kind == "gone":
            return name
        if kind == "text":
            self._write(name, b"no points at all \xff\x00\n" * 9)
            return name
        points = {
            "not finite": np.where(self.rng.random(points.shape) < 0.1, np.nan, points),
            "alike": np.ones_like(points),
            "huge": points * 1e300,
            "narrow": points[:, :4],
            "no points": points[:0],
        }.get(kind, points)
        self._write_points(name, points)
        if kind == "torn":
            held = (self.folder / name).read_bytes()
            self._write(name, held[: int(self.rng.integers(len(held)))])
        return name


def _module(model: str) -> nn.Module:
    with torch.random.fork_rng():
        module = getattr(nets, model.partition(":")[2])()
    assert isinstance(module, nn.Module)
    return module


@cache
def _exported() -> bytes:
    held = io.BytesIO()
    batch = {0: torch.export.Dim.AUTO}
    program = torch.export.export(_module("nets:six").eval(), (torch.zeros(2, 6),), dynamic_shapes=(batch,))
    torch.export.save(program, held)
    return held.getvalue()


@cache
def _onnx() -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    values = _module("nets:six").state_dict()
    nodes, last = [], "x"
    for layer in ("0", "2", "4"):
        out = "y" if layer == "4" else f"z{layer}"
        nodes.append(helper.make_node("Gemm", [last, f"{layer}.weight", f"{layer}.bias"], [out], transB=1))
        last = out
        if layer != "4":
            last = f"r{layer}"
            nodes.append(helper.make_node("Relu", [out], [last]))
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
        for name, size in (("x", 6), ("y", 3))
    ]
    graph = helper.make_graph(
        nodes, "six", ports[:1], ports[1:], [numpy_helper.from_array(v.numpy(), k) for k, v in values.items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
