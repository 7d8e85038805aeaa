"""Arrangements as files: the native NPZ, and GeoJSON; conversions to shapely and networkx are in :mod:`splineviz.io.export`."""

from __future__ import annotations

from splineviz.io.geojson import save_geojson
from splineviz.io.npz import load, save

__all__ = ["load", "save", "save_geojson"]
