"""Arrangements: the walk over the program that makes one, and what can be asked of it."""
