"""Recurrent layers by the name of their cell."""

from __future__ import annotations

from seq2seq.nn.cells import (
    Cell,
    CoupledLSTMCell,
    DeepTransitionGRUCell,
    ElmanCell,
    GRUCell,
    LayerNormGRUCell,
    LayerNormLSTMCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    MUT1Cell,
    MUT2Cell,
    MUT3Cell,
    PeepholeLSTMCell,
    ProjectedLSTMCell,
    ResetBeforeGRUCell,
    ScanCell,
    SRUCell,
)
from seq2seq.nn.recurrent import FusedLayer, MakeLayer, ParallelLayer, RecurrentLayer, RecurrentNoise, ScannedLayer
from seq2seq.recipe import Decoder, Encoder


def layer_maker(section: Encoder | Decoder, *, transitions: int | None = None) -> MakeLayer:
    """A function that makes a layer of the section's cell from the width of its input.

    PyTorch's fused kernels where there are any for the cell and they can drop out what the section asks for; a parallel
    scan where the cell allows it; else a loop over time. `transitions` takes the place of the section's own.
    """
    noise = RecurrentNoise(section.recurrent_dropout_kind, section.recurrent_dropout)
    hidden_size = section.hidden_size
    depth = section.transitions if transitions is None else transitions

    def make(input_size: int) -> RecurrentLayer:
        match section.cell:
            case "lstm" | "gru" | "elman-tanh" | "elman-relu" as kind if noise.kind in ("none", "dropconnect"):
                return FusedLayer(
                    kind=kind, input_size=input_size, hidden_size=hidden_size, dropconnect=noise.probability
                )
            case "mingru" | "minlstm" | "sru" as name:
                return ParallelLayer(cell=_scan_cell(name, input_size, hidden_size))
            case name:
                cell = _cell(name, input_size, hidden_size, section, depth)
                return ScannedLayer(cell=cell, noise=noise)

    return make


def _cell(name: str, input_size: int, hidden_size: int, section: Encoder | Decoder, transitions: int) -> Cell:
    match name:
        case "elman-tanh":
            return ElmanCell(input_size=input_size, hidden_size=hidden_size, nonlinearity="tanh")
        case "elman-relu":
            return ElmanCell(input_size=input_size, hidden_size=hidden_size, nonlinearity="relu")
        case "lstm":
            return LSTMCell(input_size=input_size, hidden_size=hidden_size)
        case "lstm-peephole":
            return PeepholeLSTMCell(input_size=input_size, hidden_size=hidden_size)
        case "lstm-coupled":
            return CoupledLSTMCell(input_size=input_size, hidden_size=hidden_size)
        case "lstm-projected":
            return ProjectedLSTMCell(
                input_size=input_size,
                hidden_size=hidden_size,
                projection_size=section.projection_size or hidden_size,
            )
        case "lstm-layer-norm":
            return LayerNormLSTMCell(input_size=input_size, hidden_size=hidden_size)
        case "gru":
            return GRUCell(input_size=input_size, hidden_size=hidden_size)
        case "gru-reset-before":
            return ResetBeforeGRUCell(input_size=input_size, hidden_size=hidden_size)
        case "gru-layer-norm":
            return LayerNormGRUCell(input_size=input_size, hidden_size=hidden_size)
        case "gru-deep-transition":
            return DeepTransitionGRUCell(
                input_size=input_size,
                hidden_size=hidden_size,
                transitions=transitions,
                layer_norm=section.layer_norm,
            )
        case "mut1":
            return MUT1Cell(input_size=input_size, hidden_size=hidden_size)
        case "mut2":
            return MUT2Cell(input_size=input_size, hidden_size=hidden_size)
        case "mut3":
            return MUT3Cell(input_size=input_size, hidden_size=hidden_size)
    raise AssertionError(name)


def _scan_cell(name: str, input_size: int, hidden_size: int) -> ScanCell:
    match name:
        case "mingru":
            return MinGRUCell(input_size=input_size, hidden_size=hidden_size)
        case "minlstm":
            return MinLSTMCell(input_size=input_size, hidden_size=hidden_size)
        case "sru":
            return SRUCell(input_size=input_size, hidden_size=hidden_size)
    raise AssertionError(name)
