"""ONNX files: the graph as an ``nn.Module`` of one submodule per node, which is then traced as any other."""

from splineviz.program.onnx.module import OnnxNetwork
from splineviz.program.onnx.walk import read_network

__all__ = ["OnnxNetwork", "read_network"]
