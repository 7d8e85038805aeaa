"""ONNX files: the graph as an ``nn.Module`` of one submodule per node, which is then traced as any other."""

from splineviz.program.onnx.conversion import read_network
from splineviz.program.onnx.module import OnnxNetwork

__all__ = ["OnnxNetwork", "read_network"]
