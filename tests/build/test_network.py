"""From recipe to network: which classes, which options where, which first weights."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch

from seq2seq.build import build_model
from seq2seq.model.bridge import FinalStateBridge, TanhBridge, ZeroBridge
from seq2seq.model.copying import CopyGenerator
from seq2seq.model.decoder import readout_reads_context
from seq2seq.model.readout import LearnedReadout, PlainReadout
from seq2seq.nn import attention as attentions
from seq2seq.nn import cells
from seq2seq.nn.recurrent import FusedLayer, ParallelLayer, RecurrentNoise, ScannedLayer
from seq2seq.recipe import (
    AttentionName,
    BridgeName,
    CellName,
    ConnectionName,
    ContextName,
    DirectionsName,
    GeneratorName,
    Model,
    ReadoutName,
    RecurrentDropoutName,
    readout_width,
)

SMALL: dict[str, Any] = {
    "encoder": {"hidden_size": 4, "embedding_size": 5, "directions": "forward"},
    "decoder": {"hidden_size": 4, "embedding_size": 5},
}


def small(**changes: Any) -> Any:
    """A small network; of `encoder` and `decoder` only what changes is given."""
    sections = {**SMALL, **changes}
    for name, usual in SMALL.items():
        sections[name] = usual | changes.get(name, {})
    return build_model(Model.model_validate(sections), source_vocabulary=20, target_vocabulary=30)


def test_every_attention_has_its_class() -> None:
    classes = {
        "none": type(None), "summary": attentions.SummaryAttention, "additive": attentions.AdditiveAttention,
        "normalized-additive": attentions.NormalizedAdditiveAttention, "dot": attentions.DotAttention,
        "scaled-dot": attentions.ScaledDotAttention, "general": attentions.GeneralAttention,
        "concat": attentions.ConcatAttention, "multihead": attentions.MultiheadAttention,
        "multihead-additive": attentions.MultiheadAdditiveAttention, "local-m": attentions.LocalMonotonicAttention,
        "local-p": attentions.LocalPredictiveAttention, "location": attentions.LocationAttention,
        "coverage": attentions.CoverageAttention, "hard": attentions.HardAttention,
    }  # fmt: skip
    assert set(classes) == set(get_args(AttentionName))
    for name, kind in classes.items():
        network = small(attention={"type": name, "context": "none" if name == "none" else "output"})
        assert type(network.decoder.attention) is kind
        assert network.decoder.weighs_source == (name not in ("none", "summary"))


def test_every_bridge_has_its_class() -> None:
    classes: dict[str, Any] = {"zero": (ZeroBridge, None), "final-state": (FinalStateBridge, None)}
    classes |= {
        "learned": (TanhBridge, "final"), "mean-pooled": (TanhBridge, "mean"), "backward": (TanhBridge, "backward"),
    }  # fmt: skip
    assert set(classes) == set(get_args(BridgeName))
    for name, (kind, summary) in classes.items():
        directions = "bidirectional" if name == "backward" else "forward"
        bridge = small(encoder={"directions": directions}, bridge=name).bridge
        assert type(bridge) is kind
        assert getattr(bridge, "summary", None) == summary
        if name in ("zero", "learned"):
            assert bridge.state_sizes == ((4, 4),)


CELL_CLASSES: dict[str, Any] = {
    "elman-tanh": cells.ElmanCell, "elman-relu": cells.ElmanCell, "lstm": cells.LSTMCell,
    "lstm-peephole": cells.PeepholeLSTMCell, "lstm-coupled": cells.CoupledLSTMCell,
    "lstm-projected": cells.ProjectedLSTMCell, "lstm-layer-norm": cells.LayerNormLSTMCell, "gru": cells.GRUCell,
    "gru-reset-before": cells.ResetBeforeGRUCell, "gru-layer-norm": cells.LayerNormGRUCell,
    "gru-deep-transition": cells.DeepTransitionGRUCell, "mut1": cells.MUT1Cell, "mut2": cells.MUT2Cell,
    "mut3": cells.MUT3Cell, "mingru": cells.MinGRUCell, "minlstm": cells.MinLSTMCell, "sru": cells.SRUCell,
}  # fmt: skip
FUSED = ("lstm", "gru", "elman-tanh", "elman-relu")
PARALLEL = ("mingru", "minlstm", "sru")


def check_layer(layer: Any, cell: str, *, inputs: int, dropout: str = "none") -> None:
    """The layer is of the fastest kind that there is for the cell and its dropout."""
    assert layer.input_size == inputs
    if cell in PARALLEL:
        assert type(layer) is ParallelLayer
    elif cell in FUSED and dropout in ("none", "dropconnect"):
        assert type(layer) is FusedLayer
        assert layer.kind == cell
        assert layer.dropconnect == (0.0 if dropout == "none" else 0.25)
        return
    else:
        assert type(layer) is ScannedLayer
        assert layer.noise == RecurrentNoise(dropout, 0.0 if dropout == "none" else 0.25)  # type: ignore[arg-type]
    assert type(layer.cell) is CELL_CLASSES[cell]
    if cell.startswith("elman"):
        assert layer.cell.nonlinearity == cell.split("-")[1]


@pytest.mark.parametrize("cell", get_args(CellName))
def test_cells_of_encoder_and_decoder(cell: str) -> None:
    assert set(CELL_CLASSES) == set(get_args(CellName))
    names = list(CELL_CLASSES)
    other = names[names.index(cell) - 1]

    def section(name: str) -> dict[str, Any]:
        return {"cell": name, **({"projection_size": 4, "hidden_size": 6} if name == "lstm-projected" else {})}

    network = small(
        encoder=section(cell) | {"layers": 2, "directions": "bidirectional"}, decoder=section(other) | {"layers": 2}
    )
    for layer, inputs in zip(network.encoder.stack.layers, (5, 8), strict=True):
        check_layer(layer.ahead, cell, inputs=inputs)
        check_layer(layer.back, cell, inputs=inputs)
    for layer, inputs in zip(network.decoder.layers, (5, 4), strict=True):
        check_layer(layer, other, inputs=inputs)
    assert network.decoder.second is None
    conditional = small(decoder=section(cell), attention={"context": "conditional"})
    check_layer(conditional.decoder.second, cell, inputs=4)


@pytest.mark.parametrize("kind", [name for name in get_args(RecurrentDropoutName) if name != "none"])
@pytest.mark.parametrize("cell", [name for name in get_args(CellName) if name not in PARALLEL])
def test_recurrent_dropout_arrives(cell: str, kind: str) -> None:
    if kind == "candidate" and cell.startswith("elman"):
        return  # has no candidate
    noisy = {"cell": cell, "recurrent_dropout": 0.25, "recurrent_dropout_kind": kind}
    if cell == "lstm-projected":
        noisy |= {"projection_size": 4}
    network = small(encoder=noisy, decoder={"layers": 2})
    check_layer(network.encoder.stack.layers[0].ahead, cell, inputs=5, dropout=kind)
    check_layer(network.decoder.layers[0], "lstm", inputs=5)
    network = small(decoder=noisy, attention={"context": "conditional"})
    check_layer(network.encoder.stack.layers[0].ahead, "lstm", inputs=5)
    check_layer(network.decoder.layers[0], cell, inputs=5, dropout=kind)
    check_layer(network.decoder.second, cell, inputs=4, dropout=kind)


def test_every_readout_has_its_class() -> None:
    for kind in get_args(ReadoutName):
        # upper-layers gives the readout no context.
        for context, width in (("output", 4), ("upper-layers", 0)):
            decoder = {"layers": 2, "readout": kind}
            readout = small(decoder=decoder, attention={"context": context}).decoder.readout
            if kind == "plain" or (kind == "tanh" and not width):
                assert type(readout) is PlainReadout
                assert readout.output_size == 4 + width
                continue
            assert type(readout) is LearnedReadout
            assert (readout.kind, readout.context_size, readout.output_size) == (kind, width, 4)
            assert readout.gate is None
    for kind in ("tanh", "deep", "maxout"):
        readout = small(decoder={"readout": kind, "context_gate": True, "readout_size": 3}).decoder.readout
        assert readout.gate.in_features == 4 + 5 + 4
        assert readout.output_size == 3
        # With another width than h, or to be as wide as a tied embedding, there is something to learn.
        for changes in ({"decoder": {"readout": kind, "readout_size": 3}}, {"tying": "decoder"}):
            without = small(attention={"type": "none", "context": "none"}, **changes).decoder.readout
            assert type(without) is LearnedReadout


def test_context_is_always_mixed_into_a_tanh_readout() -> None:
    """Also where it happens to be as wide as h."""
    for context in ("output", "input-feeding", "previous-state", "conditional"):
        for size in (4, 8):
            readout = small(decoder={"readout_size": size}, attention={"context": context}).decoder.readout
            assert type(readout) is LearnedReadout
            assert readout.weight.shape == (size, 4 + 4)


def test_every_generator_has_its_class() -> None:
    classes = {"softmax": type(None), "copy": CopyGenerator}
    assert set(classes) == set(get_args(GeneratorName))
    for name, kind in classes.items():
        network = small(generator=name)
        assert type(network.copying) is kind
        assert network.decoder.features == (name == "copy")


def test_only_a_bridge_that_needs_the_memory_cell_pays_for_it() -> None:
    for bridge in get_args(BridgeName):
        directions = "bidirectional" if bridge == "backward" else "forward"
        network = small(encoder={"directions": directions}, bridge=bridge)
        assert network.encoder.stack.layers[0].final_cell == (bridge == "final-state")
    of_gru = small(encoder={"cell": "gru"}, decoder={"cell": "gru"}, bridge="final-state")
    assert not of_gru.encoder.stack.layers[0].final_cell


def test_every_dropout_of_the_recipe_arrives() -> None:
    network = small(
        encoder={"dropout": 0.1, "embedding_dropout": 0.2, "word_dropout": 0.7},
        decoder={
            "dropout": 0.3, "embedding_dropout": 0.4, "output_dropout": 0.5, "word_dropout": 0.8, "variational": True,
        },
        attention={"type": "general", "dropout": 0.6},
    )  # fmt: skip
    assert network.encoder.stack.dropout == 0.1
    assert network.encoder.dropout.numbers == 0.2
    assert network.encoder.dropout.words == 0.7
    assert not network.encoder.dropout.variational
    assert not network.encoder.stack.variational
    assert network.decoder.dropout == 0.3
    assert network.decoder.embedding_dropout.numbers == 0.4
    assert network.decoder.embedding_dropout.words == 0.8
    assert network.decoder.embedding_dropout.variational
    assert network.decoder.variational
    assert network.output_dropout == 0.5
    assert network.decoder.attention.dropout == 0.6
    other = small(encoder={"dropout": 0.1, "variational": True})
    assert other.encoder.stack.variational
    assert other.encoder.dropout.variational
    assert not other.decoder.variational
    assert not other.decoder.embedding_dropout.variational


def test_attention_dropout_arrives_at_every_attention() -> None:
    for name in get_args(AttentionName):
        if name not in ("none", "summary", "hard"):
            assert small(attention={"type": name, "dropout": 0.6}).decoder.attention.dropout == 0.6


def test_every_option_of_an_attention_arrives() -> None:
    def made(**section: Any) -> Any:
        return small(encoder={"hidden_size": 3}, attention=section).decoder.attention

    for name in ("additive", "normalized-additive", "concat", "multihead", "location", "coverage", "hard"):
        for size in (None, 8):
            key = made(type=name, size=size).key
            assert key.in_features == 3
            assert key.out_features == (size or 4)  # by default the decoder's width
    assert made(type="multihead-additive", size=8).value.out_features == 8
    assert made(type="local-p", size=8).position.out_features == 8
    assert made(type="multihead", heads=2).heads == 2
    assert made(type="multihead-additive", heads=2).heads == 2
    assert made(type="coverage").most == 2.0
    assert made(type="coverage", fertility=3.5).most == 3.5
    location = made(type="location", location_filters=6, location_width=7)
    assert location.filters.weight.shape == (6, 1, 7)
    for name in ("local-m", "local-p"):
        assert made(type=name).window == 10
        assert made(type=name, window=3).window == 3
        scores = {kind: type(made(type=name, score=kind).score) for kind in ("general", "concat")}
        scores["dot"] = type(small(attention={"type": name, "score": "dot"}).decoder.attention.score)
        assert len(set(scores.values())) == 3


def test_every_connection_arrives() -> None:
    for kind in get_args(ConnectionName):
        first = {"connection_from": 3} if kind in ("residual", "highway") else {}
        network = small(
            encoder={"layers": 3, "connection": kind, **first}, decoder={"layers": 4, "connection": "residual"}
        )
        assert network.encoder.stack.connections.kind == kind
        assert network.encoder.stack.connections.first == (3 if first else 2)
        assert (network.decoder.connections.kind, network.decoder.connections.first) == ("residual", 2)
        network = small(
            encoder={"layers": 4, "connection": "residual"}, decoder={"layers": 3, "connection": kind, **first}
        )
        assert network.decoder.connections.kind == kind
        assert network.decoder.connections.first == (3 if first else 2)
        assert (network.encoder.stack.connections.kind, network.encoder.stack.connections.first) == ("residual", 2)


def test_directions_arrive() -> None:
    reads = {
        "forward": ["ahead"] * 3,
        "bidirectional": ["both"] * 3,
        "alternating": ["ahead", "back", "ahead"],
        "bottom-bidirectional": ["both", "ahead", "ahead"],
    }
    assert set(reads) == set(get_args(DirectionsName))
    for name, expected in reads.items():
        stack = small(encoder={"layers": 3, "directions": name}).encoder.stack
        found = [
            "both"
            if layer.ahead is not None and layer.back is not None
            else "back"
            if layer.back is not None
            else "ahead"
            for layer in stack.layers
        ]
        assert found == expected


def test_what_else_the_encoder_is_told() -> None:
    plain = small().encoder
    assert not plain.reverse_source
    assert plain.projection is None
    assert not plain.embedding_in_output
    changed = small(encoder={"reverse_source": True, "output_size": 3}).encoder
    assert changed.reverse_source
    assert (changed.projection.in_features, changed.projection.out_features) == (4, 3)
    assert changed.output_size == 3
    beside = small(encoder={"embedding_in_output": True}).encoder
    assert beside.output_size == 4 + beside.embedding.embedding_dim


def test_transitions_are_shared_out_by_the_conditional_wiring() -> None:
    def cells_of(context: str, transitions: int) -> list[int]:
        deep = {"cell": "gru-deep-transition", "transitions": transitions}
        network = small(encoder=deep, decoder=deep | {"layers": 2}, attention={"context": context})
        assert network.encoder.stack.layers[0].ahead.cell.transitions == transitions
        decoder = network.decoder
        layers = [*decoder.layers, *([] if decoder.second is None else [decoder.second])]
        return [layer.cell.transitions for layer in layers]

    assert cells_of("output", 3) == [3, 3]
    assert cells_of("previous-state", 4) == [4, 4]
    # The first layer: one before the attention, the others after it.
    assert cells_of("conditional", 2) == [1, 2, 1]
    assert cells_of("conditional", 4) == [1, 4, 3]


def test_projections_are_as_wide_as_the_recipe_says() -> None:
    projected = {"cell": "lstm-projected", "hidden_size": 6, "projection_size": 3}
    network = small(encoder=projected, decoder=projected)
    assert network.encoder.stack.layers[0].state_sizes == (3, 6)
    assert network.decoder.state_sizes == ((3, 6),)
    assert network.decoder.readout.output_size == 3


def test_the_initialization_arrives() -> None:
    uniform = small(initialization={"name": "uniform", "scale": 0.01})
    assert max(parameter.abs().max().item() for parameter in uniform.parameters()) <= 0.01
    normal = small(initialization={"name": "normal", "scale": 1e-4, "forget_bias": 0.75})
    assert normal.decoder.embedding.weight.abs().max() < 1e-3
    assert (normal.decoder.layers[0].b_ih + normal.decoder.layers[0].b_hh)[4:8].tolist() == [0.75] * 4
    assert normal.decoder.layers[0].w_hh.abs().max() > 0.1
    # Without a forget gate there is none to set.
    mixed = small(decoder={"cell": "gru"}, initialization={"name": "normal", "forget_bias": 0.75})
    assert torch.count_nonzero(mixed.decoder.layers[0].b_ih) == 0
    assert torch.count_nonzero(mixed.decoder.layers[0].b_hh) == 0
    ahead = mixed.encoder.stack.layers[0].ahead
    assert (ahead.b_ih + ahead.b_hh)[4:8].tolist() == [0.75] * 4


def test_first_weights_of_embeddings_and_output() -> None:
    torch.manual_seed(2)
    description = Model.model_validate(
        {
            "encoder": {"embedding_size": 64, "hidden_size": 4},
            "decoder": {"embedding_size": 16, "hidden_size": 8},
        }
    )
    network = build_model(description, source_vocabulary=500, target_vocabulary=800)
    # 32,000 and 12,800 normal numbers: their deviation is known to a hundredth.
    assert network.encoder.embedding.weight.std().item() == pytest.approx(64**-0.5, rel=0.03)
    assert network.decoder.embedding.weight.std().item() == pytest.approx(16**-0.5, rel=0.03)
    assert torch.count_nonzero(network.output.bias) == 0
    assert network.encoder.embedding.num_embeddings == 500
    assert network.output.out_features == 800


def test_the_seed_makes_the_weights() -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return torch.cat([parameter.detach().flatten() for parameter in small().parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@pytest.mark.parametrize("context", get_args(ContextName))
def test_recipe_and_decoder_agree_where_the_readout_reads_the_context(context: Any) -> None:
    described = Model.model_validate(
        SMALL
        | {
            "decoder": SMALL["decoder"] | {"layers": 2, "readout": "plain"},
            "attention": {"type": "none" if context == "none" else "dot", "context": context},
        }
    )
    assert readout_width(described) == 4 + 4 * readout_reads_context(context)
