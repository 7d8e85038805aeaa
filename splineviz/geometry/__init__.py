"""The planar subdivision and its refinement by lines: arrays and compiled kernels, no networks.

`subdivision` is the data, `refine` the one verb. A refinement takes three decisions only, all of them in
`predicates`: the sign of a unit at a vertex, the order of two crossings on an edge, the order of two
crossings on a chord.
"""
