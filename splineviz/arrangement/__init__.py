"""Arrangements: what one is, and what can be asked of it."""
