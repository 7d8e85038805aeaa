"""Measures of an arrangement: of its cells, edges, decisions and outputs, with proven errors where they
rest on rounded coordinates."""
