"""Order statistics along an axis, composed of operations that have units: the values of sort, topk, kthvalue,
median and quantile.

With T_r(x) the sum of the r largest of n entries, the entry of rank r (0 for the largest) is T_{r+1}(x) -
T_r(x), and T_r is a maximum over all sums of r entries. Two of these tie at the top only where the entries of
ranks r - 1 and r do, so that they cut where chosen ranks change hands and nowhere else. Of many entries there
are too many sums: then pairs are compared in layers, by Batcher's odd-even merge sort (Knuth, The Art of
Computer Programming 3, 5.2.2, algorithm M). A sort kinks wherever two entries tie, as its comparisons do; of
few ranks of many entries, comparisons of others may cut what is one linear region.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

__all__ = ["COMPOSITIONS"]

_SUMS = 1024  # at most, for which maxima are taken

torch.library.define("splineviz::sums_of_largest", "(Tensor self, int dim, int[] counts) -> Tensor")
torch.library.define("splineviz::exchanged", "(Tensor self, int dim, int[] first, int[] second) -> Tensor")


@torch.library.impl("splineviz::sums_of_largest", "CompositeImplicitAutograd")
def _sums_of_largest(self: Tensor, dim: int, counts: Sequence[int]) -> Tensor:
    """The sum of so many largest entries, for each of the counts."""
    ordered = self.sort(dim, descending=True).values
    return torch.cat([ordered.narrow(dim, 0, count).sum(dim, keepdim=True) for count in counts], dim)


@torch.library.impl("splineviz::exchanged", "CompositeImplicitAutograd")
def _exchanged(self: Tensor, dim: int, first: Sequence[int], second: Sequence[int]) -> Tensor:
    """The entries with the larger one of each pair at the first of its two places."""
    i, j = (torch.tensor(places, device=self.device) for places in (first, second))
    a, b = self.index_select(dim, i), self.index_select(dim, j)
    larger, smaller = torch.maximum(a, b), torch.minimum(a, b)
    return self.index_copy(dim, i, larger).index_copy(dim, j, smaller)


def _sort(x: Tensor, dim: int = -1, descending: bool = False) -> tuple[Tensor, Tensor]:
    n = _length(x, dim)
    ranks = list(range(n)) if descending else list(range(n))[::-1]
    return _ranked(x, dim, ranks), torch.argsort(x, dim, descending)


def _sort_stable(
    x: Tensor, *, stable: bool | None, dim: int = -1, descending: bool = False
) -> tuple[Tensor, Tensor]:
    return _sort(x, dim, descending)


def _topk(x: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> object:
    n = _length(x, dim)
    if k == 1:
        places = x.argmax if largest else x.argmin
        return _ranked(x, dim, [0 if largest else n - 1]), places(dim, keepdim=True)
    if not sorted:
        return NotImplemented  # their order is not defined
    ranks = list(range(k)) if largest else list(range(n - k, n))[::-1]
    return _ranked(x, dim, ranks), torch.argsort(x, dim, largest).narrow(dim, 0, k)


def _kthvalue(x: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The k-th smallest."""
    values = _ranked(x, dim, [_length(x, dim) - k])
    places = torch.argsort(x, dim).narrow(dim, k - 1, 1)
    return (values, places) if keepdim else (values.squeeze(dim), places.squeeze(dim))


def _median(x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Of an even number of entries torch's median is the lower one in the middle."""
    return _kthvalue(x, (_length(x, dim) + 1) // 2, dim, keepdim)


def _aminmax(x: Tensor, *, dim: int | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    if dim is None:
        return x.amin(), x.amax()
    return x.amin(dim, keepdim), x.amax(dim, keepdim)


def _quantile(
    x: Tensor, q: float, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    if dim is None:
        return _quantile(x.flatten(), q, 0, interpolation=interpolation)
    n = _length(x, dim)
    place = q * (n - 1)
    below, above = math.floor(place), math.ceil(place)
    share = {"linear": place - below, "lower": 0.0, "higher": 1.0, "midpoint": 0.5}.get(
        interpolation, float(round(place) - below)
    )
    low, high = n - 1 - below, n - 1 - above
    if share == 0.5:  # whichever of the two is the larger
        result = _sums(x, dim, [(high, low + 1)]) / 2
    else:
        ends = _sums(x, dim, [(low, low + 1), (high, high + 1)] if share else [(low, low + 1)])
        first = ends.narrow(dim, 0, 1)
        result = first + (ends.narrow(dim, 1, 1) - first) * share if share else first
    return result if keepdim else result.squeeze(dim)


def _ranked(x: Tensor, dim: int, ranks: Sequence[int]) -> Tensor:
    """Entries of these ranks along an axis, 0 for the largest."""
    return _sums(x, dim, [(rank, rank + 1) for rank in ranks])


def _sums(x: Tensor, dim: int, spans: Sequence[tuple[int, int]]) -> Tensor:
    """Sums of the entries of ranks from a first one to before another, for each of these spans, side by side
    along an axis."""
    n = _length(x, dim)
    if n == 1:
        return x.clone()
    dim %= x.dim()
    counts = sorted({count for span in spans for count in span} - {0, n})
    if sum(math.comb(n, count) for count in counts) > _SUMS or len(spans) == n:
        return _by_pairs(x, dim, spans)
    found = torch.ops.splineviz.sums_of_largest(x, dim, counts)
    largest = {count: found.narrow(dim, i, 1) for i, count in enumerate(counts)}
    largest[n] = x.sum(dim, keepdim=True)
    return torch.cat([largest[b] - largest[a] if a else largest[b] for a, b in spans], dim)


def _by_pairs(x: Tensor, dim: int, spans: Sequence[tuple[int, int]]) -> Tensor:
    """Such sums by comparisons, without those that none of them depends on."""
    layers, read = [], {rank for span in spans for rank in range(*span)}
    for layer in reversed(list(_odd_even_merges(_length(x, dim)))):
        used = [pair for pair in layer if read & set(pair)]
        read |= {place for pair in used for place in pair}
        layers.append(used)
    for layer in reversed(layers):
        if layer:
            x = torch.ops.splineviz.exchanged(x, dim, [i for i, _ in layer], [j for _, j in layer])
    parts = [x.narrow(dim, a, b - a) for a, b in spans]
    return torch.cat([part if part.shape[dim] == 1 else part.sum(dim, keepdim=True) for part in parts], dim)


def _odd_even_merges(n: int) -> Iterator[list[tuple[int, int]]]:
    """Layers of pairs of places to compare, which have no place in common."""
    top = 1 << (n - 1).bit_length() - 1
    p = top
    while p:
        q, r, d = top, 0, p
        while True:
            yield [(i, i + d) for i in range(n - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2


def _length(x: Tensor, dim: int) -> int:
    return int(x.shape[dim]) if x.dim() else 1


COMPOSITIONS: dict[str, Callable[..., object]] = {
    "sort.default": _sort,
    "sort.stable": _sort_stable,
    "topk.default": _topk,
    "kthvalue.default": _kthvalue,
    "median.dim": _median,
    "nanmedian.dim": _median,
    "aminmax.default": _aminmax,
    "quantile.scalar": _quantile,
    "nanquantile.scalar": _quantile,
}
"""Name of an overload in torch.ops.aten -> function of its arguments, or NotImplemented."""
