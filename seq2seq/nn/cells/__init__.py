"""The recurrent cells, one time step each, written as their equations.

Every class is its equations and its parameters and knows nothing of time or padding: that is `seq2seq.nn.recurrent`.
Those that have a fused layer there are its slow twins, with the same parameters in the same order of gates.
"""

from seq2seq.nn.cells.coupled import CoupledLSTMCell
from seq2seq.nn.cells.deep_transition import DeepTransitionGRUCell
from seq2seq.nn.cells.elman import ElmanCell
from seq2seq.nn.cells.gru import GRUCell, ResetBeforeGRUCell
from seq2seq.nn.cells.layer_norm import LayerNormGRUCell, LayerNormLSTMCell
from seq2seq.nn.cells.lstm import LSTMCell
from seq2seq.nn.cells.minimal import MinGRUCell, MinLSTMCell, SRUCell
from seq2seq.nn.cells.mutated import MUT1Cell, MUT2Cell, MUT3Cell
from seq2seq.nn.cells.peephole import PeepholeLSTMCell
from seq2seq.nn.cells.projected import ProjectedLSTMCell
from seq2seq.nn.cells.state import QUIET, Cell, CellState, ScanCell, StepNoise

__all__ = [
    "QUIET",
    "Cell",
    "CellState",
    "CoupledLSTMCell",
    "DeepTransitionGRUCell",
    "ElmanCell",
    "GRUCell",
    "LSTMCell",
    "LayerNormGRUCell",
    "LayerNormLSTMCell",
    "MUT1Cell",
    "MUT2Cell",
    "MUT3Cell",
    "MinGRUCell",
    "MinLSTMCell",
    "PeepholeLSTMCell",
    "ProjectedLSTMCell",
    "ResetBeforeGRUCell",
    "SRUCell",
    "ScanCell",
    "StepNoise",
]
