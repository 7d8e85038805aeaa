"""State dicts: found in what files hold, and brought to the names, shapes and data types of a network."""

from splineviz.program.state_dicts.entries import entry, state_dicts
from splineviz.program.state_dicts.fitting import Weights, weights_for
from splineviz.program.state_dicts.loading import load_weights
from splineviz.program.state_dicts.wanted import Wanted

__all__ = ["Wanted", "Weights", "entry", "load_weights", "state_dicts", "weights_for"]
