"""The engine: from a program, planes and windows to an arrangement, stage by stage, in batches of faces,
within a budget."""
