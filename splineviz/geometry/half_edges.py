"""Nodes and half-edges of one face that chords cut.

Round a crossing the spokes have the cyclic order of the chord ends on the boundary, so that every half-edge
knows the next one by turning left.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from splineviz.geometry.chord_crossings import moved_at
from splineviz.geometry.compiled import part
from splineviz.geometry.workspace import EDGES, SHARE, VANISH, VERTICES, Given, Links, Pieces, Scratch

__all__ = ["has_double_edge", "make_half_edges", "make_nodes"]


@part(forceinline=True)
def make_nodes(g: Given, s: Scratch, n_chords: int, n_pairs: int, n_ring: int, out: Pieces) -> int:
    """Make one new vertex for each crossing point, on the chord that locates it best; returns the number of
    nodes, ring included."""
    n = out.n
    n_nodes = n_ring
    n_old = len(g.units.z)
    for x in range(n_pairs):
        s.pair[x].node = -1
    for c in range(n_chords):
        for k in range(s.chord[c].first, s.chord[c + 1].first):
            root = s.pair[s.crossing[k].pair].root
            a, b = s.ring[s.chord[c].p].vertex, s.ring[s.chord[c].q].vertex
            if s.pair[root].node < 0:
                s.pair[root].node = n_nodes
                n_nodes += 1
                v = n[VERTICES]
                n[VERTICES] += 1
            else:
                v = n[VERTICES] - (n_nodes - s.pair[root].node)
                if s.crossing[k].bound >= out.birth[v].bound:
                    continue
            birth, m = out.birth[v], s.crossing[k]
            birth.a, birth.b, birth.unit, birth.along = a, b, s.chord[m.other].unit, s.chord[c].unit
            birth.t, birth.bound, birth.proof = m.t, m.bound, m.proof
            late = abs(m.t - m.quotient)
            birth.nominal, birth.nominal_proof = m.nominal + late, m.nominal_proof + late
            birth.moved, birth.share = moved_at(g, s, c, k)
    base = n[VERTICES] - (n_nodes - n_ring) + n_old
    for c in range(n_chords):
        last = -1
        for k in range(s.chord[s.chord[c].twin].first, s.chord[s.chord[c].twin + 1].first):
            node = _node_of(s, k)
            if node != last:
                vanishing = out.vanishing[n[VANISH]]
                vanishing.vertex, vanishing.unit = base + node - n_ring, s.chord[c].unit
                n[VANISH] += 1
            last = node
    return n_nodes


@part(forceinline=True)
def make_half_edges(
    g: Given, s: Scratch, h: Links, n_ring: int, n_chords: int, n_nodes: int, out: Pieces
) -> int:
    """Make half-edges and spokes of all nodes, linked by turning left; returns the number of half-edges."""
    n = out.n
    base = n[VERTICES] - (n_nodes - n_ring) + len(g.units.z)
    _count_spokes(s, h, n_ring, n_chords, n_nodes)
    fill = h.stack
    for v in range(n_nodes):
        fill[v] = h.node[v].start
    for i in range(n_ring):
        h.half[i].origin, h.half[i].edge, h.half[i].chord = s.ring[i].vertex, s.ring[i].edge, -1
        _add_spoke(h, fill, i, 0, -1, i)
        _add_spoke(h, fill, i, n_ring, i - 1 if i > 0 else n_ring - 1, -1)
    half = n_ring + (n_ring & 1)
    for c in range(n_chords):
        if s.chord[c].twin != c:
            for e in range(s.chord[s.chord[c].twin].drawn, s.chord[s.chord[c].twin].drawn_end):
                shared = out.shared[n[SHARE]]
                shared.edge, shared.unit = e, s.chord[c].unit
                n[SHARE] += 1
            continue
        s.chord[c].drawn = n[EDGES]
        p, q = s.chord[c].p, s.chord[c].q
        node, vertex = p, s.ring[p].vertex
        k = s.chord[c].first
        while True:
            while k < s.chord[c + 1].first and _node_of(s, k) == node:
                k += 1
            ahead = q if k == s.chord[c + 1].first else _node_of(s, k)
            vertex_ahead = s.ring[q].vertex if ahead == q else base + ahead - n_ring
            e = n[EDGES]
            n[EDGES] += 1
            out.edges[e, 0], out.edges[e, 1] = vertex, vertex_ahead
            out.edge_unit[e] = s.chord[c].unit
            h.half[half].origin, h.half[half].edge, h.half[half].chord = vertex, e, c
            h.half[half + 1].origin, h.half[half + 1].edge, h.half[half + 1].chord = vertex_ahead, e, c
            _add_spoke(h, fill, node, q - p if node == p else q, half + 1, half)
            _add_spoke(h, fill, ahead, p - q + n_ring if ahead == q else p, half, half + 1)
            half += 2
            if ahead == q:
                break
            node, vertex = ahead, vertex_ahead
        s.chord[c].drawn_end = n[EDGES]
    for v in range(n_nodes):
        _link(h, h.node[v].start, h.node[v + 1].start)
    return half


@part()
def has_double_edge(h: Links, n_nodes: int) -> bool:
    """Whether two edges have the same ends, as where two chords that only touch share two nodes."""
    for v in range(n_nodes):
        for k in range(h.node[v].start, h.node[v + 1].start):
            for i in range(h.node[v].start, k):
                a, b = h.spoke[i].arriving, h.spoke[k].arriving
                if a >= 0 and b >= 0 and h.half[a].origin == h.half[b].origin:
                    return True
    return False


@part(forceinline=True)
def _put_spoke(h: Links, k: int, key: int, arriving: int, leaving: int) -> None:
    m = h.spoke[k]
    m.key, m.arriving, m.leaving = key, arriving, leaving


@part(forceinline=True)
def _node_of(s: Scratch, k: int) -> int:
    """The node at the k-th crossing."""
    node: int = s.pair[s.pair[s.crossing[k].pair].root].node
    return node


@part(forceinline=True)
def _add_spoke(
    h: Links, fill: Int64[np.ndarray, "node"], node: int, key: int, arriving: int, leaving: int
) -> None:
    """Add a spoke to those of its node, at its ``fill``."""
    _put_spoke(h, fill[node], key, arriving, leaving)
    fill[node] += 1


@part(forceinline=True)
def _count_spokes(s: Scratch, h: Links, n_ring: int, n_chords: int, n_nodes: int) -> None:
    """Count the spokes of every node, and set where they start."""
    for v in range(n_nodes):
        h.node[v].n_spokes = 2 if v < n_ring else 0
    for c in range(n_chords):
        if s.chord[c].twin != c:
            continue
        h.node[s.chord[c].p].n_spokes += 1
        h.node[s.chord[c].q].n_spokes += 1
        last = -1
        for k in range(s.chord[c].first, s.chord[c + 1].first):
            node = _node_of(s, k)
            if node != last:
                h.node[node].n_spokes += 2
            last = node
    h.node[0].start = 0
    for v in range(n_nodes):
        h.node[v + 1].start = h.node[v].start + h.node[v].n_spokes


@part(forceinline=True)
def _link(h: Links, first: int, last: int) -> None:
    """Sort the spokes of one node counter-clockwise; who arrives on one leaves on the one before it, the
    leftmost turn."""
    for k in range(first + 1, last):
        key, arriving, leaving = h.spoke[k].key, h.spoke[k].arriving, h.spoke[k].leaving
        i = k
        while i > first and h.spoke[i - 1].key > key:
            m = h.spoke[i - 1]
            _put_spoke(h, i, m.key, m.arriving, m.leaving)
            i -= 1
        _put_spoke(h, i, key, arriving, leaving)
    before = last - 1
    for k in range(first, last):
        if h.spoke[k].arriving >= 0:
            h.half[h.spoke[k].arriving].following = h.spoke[before].leaving
        before = k
