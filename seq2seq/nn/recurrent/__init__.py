"""Recurrence over time: layers that read whole sequences or one step, encoders of several, and their dropout.

A layer is fused (PyTorch's kernels), scanned (any cell of :mod:`seq2seq.nn.cells`, a loop over time) or parallel (cells
whose state is a linear recurrence, no loop). All three are a :class:`RecurrentLayer`.
"""

from seq2seq.nn.recurrent.encoder import DirectionsName, EncoderLayer, EncoderStack, MakeLayer, read_positions, reversal
from seq2seq.nn.recurrent.fused import FusedCellName, FusedLayer
from seq2seq.nn.recurrent.layer import RecurrentLayer
from seq2seq.nn.recurrent.linear_recurrence import linear_recurrence, linear_recurrence_by_loop
from seq2seq.nn.recurrent.noise import NO_NOISE, LayerNoise, NoiseName, RecurrentNoise
from seq2seq.nn.recurrent.parallel import ParallelLayer
from seq2seq.nn.recurrent.scanned import ScannedLayer
from seq2seq.nn.recurrent.truncated import cut_state, cut_states, reading, truncated

__all__ = [
    "NO_NOISE",
    "DirectionsName",
    "EncoderLayer",
    "EncoderStack",
    "FusedCellName",
    "FusedLayer",
    "LayerNoise",
    "MakeLayer",
    "NoiseName",
    "ParallelLayer",
    "RecurrentLayer",
    "RecurrentNoise",
    "ScannedLayer",
    "cut_state",
    "cut_states",
    "linear_recurrence",
    "linear_recurrence_by_loop",
    "read_positions",
    "reading",
    "reversal",
    "truncated",
]
