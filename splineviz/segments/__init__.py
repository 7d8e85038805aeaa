"""A network along a straight segment of input space: where it bends, exactly, and what follows from that."""
