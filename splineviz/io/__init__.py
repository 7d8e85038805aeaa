"""Arrangements as files: the native NPZ, also in shards, GeoJSON and Parquet.

Conversions to shapely and networkx are in :mod:`splineviz.io.export`.
"""

from __future__ import annotations

from splineviz.io.geojson import save_geojson
from splineviz.io.npz import load, save
from splineviz.io.parquet import parquet_writer
from splineviz.io.shards import shard_writer
from splineviz.io.totals import Totals

__all__ = ["Totals", "load", "parquet_writer", "save", "save_geojson", "shard_writer"]
