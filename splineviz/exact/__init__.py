"""The network in exact arithmetic, at points of the plane: what decides where floating point cannot.

`digits` are whole numbers in float64 tensors, `forward` runs a program on them, `ancestry` knows where
vertices come from, and `resolver` answers questions about units at vertices.
"""
