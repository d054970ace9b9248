"""The wirings of the context, against the papers' equations step by step with the textbook cells."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from seq2seq.build.recurrence import layer_maker
from seq2seq.model.decoder import Decoder
from seq2seq.model.readout import PlainReadout
from seq2seq.nn.attention import GeneralAttention
from seq2seq.nn.cells import CellState
from seq2seq.nn.connection import Connections
from seq2seq.nn.embedding import EmbeddingDropout
from seq2seq.recipe import CellName, ConnectionName, ContextName, ReadoutName
from seq2seq.recipe import Decoder as Section
from tests.model.decoder_equations import (
    EMBED,
    HIDDEN,
    LENGTH,
    MASK,
    TOKENS,
    VALUE,
    VALUES,
    Coverage,
    General,
    Hard,
    Layers,
    Summary,
    by_the_papers,
    cat,
)
from tests.model.small_decoder import ATTENTIONS, READ_OUT, Fill, initial, make_decoder, remember, states_of

CELLS, CONTEXTS = get_args(CellName), get_args(ContextName)


def close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)


def check(decoder: Decoder, look: Any) -> None:
    """Readouts, weights and last states of a whole sequence are those of the equations."""
    output, last = decoder.sequence(TOKENS, initial(decoder), remember(decoder))
    f = Layers(decoder, states_of(decoder))
    close(output.readout, by_the_papers(decoder, look, f))
    for state, other in zip(last.layers, f.states, strict=True):
        close(state.h, other.h)
        assert (state.c is None) == (other.c is None)
        if state.c is not None and other.c is not None:
            close(state.c, other.c)
    if decoder.context == "input-feeding":
        assert last.attended is not None
        assert torch.equal(last.attended, output.readout[:, -1])
    else:
        assert last.attended is None
    if look is None or isinstance(look, Summary):
        assert output.weights is None
    else:
        assert output.weights is not None
        close(output.weights, torch.stack(look.weights, dim=1))
    if isinstance(look, Coverage):
        assert last.attention is not None
        close(last.attention.history[0], look.seen[0])
        close(last.attention.history[1, :1], look.seen[1])
    else:
        assert last.attention is None


def equations(decoder: Decoder, attention: str = "general") -> Any:
    return None if decoder.attention is None else ATTENTIONS[attention][1](decoder.attention)


@torch.no_grad()
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("context", CONTEXTS)
def test_wirings_of_every_cell(context: Any, cell: Any, fill: Fill) -> None:
    decoder = make_decoder(fill, context, cell=cell)
    check(decoder, equations(decoder))


@torch.no_grad()
@pytest.mark.parametrize("connection", [name for name in get_args(ConnectionName) if name != "plain"])
@pytest.mark.parametrize("context", CONTEXTS)
def test_wirings_with_every_connection(context: Any, connection: Any, fill: Fill) -> None:
    decoder = make_decoder(fill, context, connection=connection)
    check(decoder, equations(decoder))


GATED = [(name, context) for name in get_args(ReadoutName) if name != "plain" for context in READ_OUT]
UNGATED = [(name, context) for name in get_args(ReadoutName) for context in CONTEXTS]


@torch.no_grad()
@pytest.mark.parametrize(("readout", "context"), UNGATED)
def test_wirings_with_every_readout(context: Any, readout: Any, fill: Fill) -> None:
    decoder = make_decoder(fill, context, cell="gru", readout=readout)
    check(decoder, equations(decoder))


@torch.no_grad()
@pytest.mark.parametrize(("readout", "context"), GATED)
def test_wirings_with_every_gate(context: Any, readout: Any, fill: Fill) -> None:
    decoder = make_decoder(fill, context, cell="gru", readout=readout, gate=True)
    check(decoder, equations(decoder))


@torch.no_grad()
@pytest.mark.parametrize("context", CONTEXTS[1:])
def test_wirings_of_an_attention_with_a_history(context: Any, fill: Fill) -> None:
    """Also those that read whole sequences: layers in one call, attention one step after the other."""
    decoder = make_decoder(fill, context, attention="coverage")
    check(decoder, equations(decoder, "coverage"))


@torch.no_grad()
@pytest.mark.parametrize("context", CONTEXTS[1:])
def test_wirings_of_a_summary(context: Any, fill: Fill) -> None:
    """With previous-state, the decoder of Cho et al. 2014, in as many layers as one likes."""
    decoder = make_decoder(fill, context, cell="gru-reset-before", attention="summary", readout="maxout")
    assert decoder.loops == (context in ("input-feeding", "conditional"))
    check(decoder, equations(decoder, "summary"))


@torch.no_grad()
def test_a_summary_needs_no_loop_over_time(fill: Fill) -> None:
    """The state before a step is the query, but the answer does not depend on it."""
    decoder = make_decoder(fill, "previous-state", attention="summary")
    seen: list[tuple[int, ...]] = []
    for layer in decoder.layers:
        layer.register_forward_pre_hook(lambda _, arguments: seen.append(tuple(arguments[0].shape)))
    whole, last = decoder.sequence(TOKENS, initial(decoder), remember(decoder))
    assert seen == [(2, LENGTH, EMBED + VALUE), (2, LENGTH, HIDDEN + VALUE), (2, LENGTH, HIDDEN + VALUE)]
    decoder.weighs_source = True  # now it does not know
    looped, other = decoder.sequence(TOKENS, initial(decoder), remember(decoder))
    assert len(seen) == 3
    close(whole.readout, looped.readout)
    close(last.layers[2].h, other.layers[2].h)


@pytest.mark.parametrize("context", CONTEXTS[1:])
def test_choices_of_a_hard_attention(context: Any, fill: Fill) -> None:
    """In training, drawn at every position; what each was worth comes back with its gradient, looped or not."""
    decoder = make_decoder(fill, context, attention="hard").train()
    torch.manual_seed(2)
    output, _ = decoder.sequence(TOKENS, initial(decoder), remember(decoder))
    assert output.weights is not None
    assert output.choice is not None
    assert torch.equal(output.weights.sum(-1), torch.ones(2, LENGTH, dtype=torch.float64))
    assert len({tuple(row) for row in output.weights[0].tolist()}) > 1
    look = Hard(decoder.attention, output.weights)
    with torch.no_grad():
        close(output.readout, by_the_papers(decoder, look, Layers(decoder, states_of(decoder))))
    close(output.choice.log_probs, torch.stack(look.log_probs, dim=1))
    close(output.choice.entropies, torch.stack(look.entropies, dim=1))
    of_query = torch.autograd.grad(output.choice.log_probs.sum(), decoder.attention.query.weight)  # type: ignore
    assert torch.count_nonzero(of_query[0]) > 0
    evaluated, _ = decoder.eval().sequence(TOKENS, initial(decoder), remember(decoder))
    assert evaluated.choice is None


def gru(x: Tensor, h: Tensor, w: Tensor | None, u: Tensor, b: Tensor | None, d: Tensor) -> Tensor:
    """Rows through the GRU whose reset follows the product; without an input where there is no matrix for it."""
    of_x = torch.zeros(2, 3 * HIDDEN, dtype=torch.float64) if w is None else x @ w.T + b
    of_h = h @ u.T + d
    r = torch.sigmoid(of_x[:, :HIDDEN] + of_h[:, :HIDDEN])
    z = torch.sigmoid(of_x[:, HIDDEN : 2 * HIDDEN] + of_h[:, HIDDEN : 2 * HIDDEN])
    n = torch.tanh(of_x[:, 2 * HIDDEN :] + r * of_h[:, 2 * HIDDEN :])
    return (1 - z) * n + z * h


@torch.no_grad()
def test_conditional_with_deep_transition(fill: Fill) -> None:
    """Nematus: the first transition reads the word, the second the context, the others nothing but the state."""
    section = Section(cell="gru-deep-transition", hidden_size=HIDDEN)
    decoder = make_decoder(
        fill,
        "conditional",
        readout="plain",
        layers=[layer_maker(section, transitions=1)(EMBED)],
        second=layer_maker(section, transitions=3)(VALUE),
        connections=Connections(kind="plain", input_size=EMBED, width=HIDDEN, layers=1),
    )
    first, second, look = decoder.layers[0].cell, decoder.second.cell, General(decoder.attention)  # type: ignore
    s = states_of(decoder)[0].h
    expected = []
    for t in range(LENGTH):
        e = decoder.embedding.weight[TOKENS[:, t]]
        s = gru(e, s, first.w_ih, first.w_hh[0], first.b_ih, first.b_hh[0])
        c = look(s)
        s = gru(c, s, second.w_ih, second.w_hh[0], second.b_ih, second.b_hh[0])
        s = gru(c, s, None, second.w_hh[1], None, second.b_hh[1])
        s = gru(c, s, None, second.w_hh[2], None, second.b_hh[2])
        expected.append(cat(s, c))
    output, last = decoder.sequence(TOKENS, initial(decoder), remember(decoder))
    close(output.readout, torch.stack(expected, dim=1))
    close(last.layers[0].h, s)


@torch.no_grad()
@pytest.mark.parametrize("context", CONTEXTS[1:])
def test_features_are_context_output_and_embedding(context: Any, fill: Fill) -> None:
    decoder = make_decoder(fill, context, readout="plain", features=True)
    output, _ = decoder.sequence(TOKENS, initial(decoder), remember(decoder))
    assert output.features is not None
    assert output.weights is not None
    contexts, hidden, embedded = output.features.split((VALUE, HIDDEN, EMBED), dim=-1)
    close(contexts, output.weights @ VALUES)
    close(hidden, output.readout[..., :HIDDEN])
    assert torch.equal(embedded, decoder.embedding.weight[TOKENS])
    decoder.features = False
    assert decoder.sequence(TOKENS, initial(decoder), remember(decoder))[0].features is None


def test_what_belongs_together_comes_together(fill: Fill) -> None:
    attention, second = GeneralAttention(query_size=HIDDEN, value_size=VALUE), nn.Identity()
    for context, one in (("output", None), ("none", attention)):
        with pytest.raises(ValueError, match="either both there or neither"):
            Decoder(**arguments(attention=one, context=context, second=None))
    for context, other in (("conditional", None), ("output", second)):
        with pytest.raises(ValueError, match="second cell"):
            Decoder(**arguments(attention=attention, context=context, second=other))


def arguments(**some: Any) -> dict[str, Any]:
    """Arguments of a decoder of no layers."""
    return {
        "embedding": nn.Embedding(9, EMBED), "layers": [], "connections": nn.Identity(), "weighs_source": True,
        "readout": PlainReadout(hidden_size=HIDDEN, context_size=0), "dropout": 0.0, "variational": False,
        "embedding_dropout": EmbeddingDropout(), **some,
    }  # fmt: skip


@torch.no_grad()
@pytest.mark.parametrize("cell", ["lstm", "gru", "lstm-layer-norm", "mingru"])
@pytest.mark.parametrize("context", CONTEXTS)
def test_bf16_stays_near_fp32(context: Any, cell: Any, fill: Fill) -> None:
    decoder = make_decoder(fill, context, cell=cell).float()

    def single(tensor: Tensor | None) -> Any:
        return None if tensor is None else tensor.float()

    memory = None
    if decoder.attention is not None:
        memory = decoder.attention.remember(VALUES.float(), MASK)
    layers = tuple(CellState(single(each.h), single(each.c)) for each in states_of(decoder))
    state = decoder.start(layers, memory)
    exact, _ = decoder.sequence(TOKENS, state, memory)
    with torch.autocast("cpu", torch.bfloat16):
        short, _ = decoder.sequence(TOKENS, state, memory)
        stepped = []
        for tokens in TOKENS.unbind(1):
            output, state = decoder.step(tokens, state, memory)
            stepped.append(output.readout.float())
    torch.testing.assert_close(short.readout.float(), exact.readout, rtol=0, atol=0.03)
    torch.testing.assert_close(torch.stack(stepped, 1), exact.readout, rtol=0, atol=0.03)
