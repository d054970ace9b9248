"""Every network that a recipe can describe: steps and sequences, beams, batches, padding, causality, tying."""

from __future__ import annotations

import copy
import functools
import itertools
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from seq2seq.data.batch import Batch
from seq2seq.model.state import DecodingState
from seq2seq.recipe import (
    AttentionName,
    BridgeName,
    CellName,
    ConnectionName,
    ContextName,
    DirectionsName,
    GeneratorName,
    ReadoutName,
    ScoreName,
    TyingName,
)
from seq2seq.search import Request, Rules, beam_search

PAD, BOS, EOS = 0, 1, 2
SOURCES = [[4, 5, 6, 7], [8], [3, 3, 9, 10, 4, 6]]
TARGETS = [[5, 6], [7, 8, 9, 10, 3], [4]]

Pairs = Callable[..., Batch]


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(actual, expected, rtol=0.0, atol=tolerance)


def start(subject: Any, batch: Batch) -> DecodingState:
    return subject.model.start(batch.source, batch.source_lengths)


@torch.no_grad()
def test_steps_equal_the_sequence(subject: Any, make_pairs: Pairs) -> None:
    batch = make_pairs()
    kind = subject.description.attention.type
    prediction = subject.model(batch.source, batch.source_lengths, batch.target_in)
    expected = prediction.logits.log_softmax(-1)
    assert prediction.choice is None  # nothing is drawn outside of training
    state = start(subject, batch)
    for position in range(batch.target_in.shape[1]):
        log_probs, state, weights = subject.model.step(batch.target_in[:, position], state)
        close(log_probs, expected[:, position])
        if kind in ("none", "summary"):
            assert weights is None
            assert prediction.weights is None
            continue
        close(weights, prediction.weights[:, position])
        assert torch.count_nonzero(weights[~batch.source_mask]) == 0
        if kind == "local-p":  # its window fades towards its ends
            assert (weights.sum(-1) < 1).all()
        else:
            close(weights.sum(-1), torch.ones(3, dtype=torch.float64))


@torch.no_grad()
def test_a_target_may_be_read_in_parts(subject: Any, make_pairs: Pairs) -> None:
    batch = make_pairs()
    whole = subject.model(batch.source, batch.source_lengths, batch.target_in)
    assert batch.target_in.shape[1] == 6
    state = start(subject, batch)
    found = []
    for part in (slice(0, 1), slice(1, 4), slice(4, 6)):
        prediction, state = subject.model.read(batch.target_in[:, part], state)
        found.append(prediction)
    close(torch.cat([each.log_probs() for each in found], dim=1), whole.logits.log_softmax(-1))
    if whole.weights is not None:
        close(torch.cat([each.weights for each in found], dim=1), whole.weights)


@torch.no_grad()
def test_beams_reorder_and_keep(subject: Any, make_pairs: Pairs) -> None:
    model = subject.model
    state = start(subject, make_pairs())
    memory = state.memory
    histories: list[list[int]] = [[], [], []]  # of every row, pieces after BOS
    tokens = torch.full((3,), BOS)

    def check(log_probs: Tensor, beam: int, sentences: list[int]) -> None:
        sources = [SOURCES[sentences[row // beam]] for row in range(len(histories))]
        expected = subject.log_probs(sources, histories)
        close(log_probs, torch.stack([of_row[-1] for of_row in expected]))

    log_probs, state, _ = model.step(tokens, state)
    check(log_probs, 1, [0, 1, 2])

    # One row becomes three.
    state = state.reorder(torch.arange(3).repeat_interleave(3))
    histories = [[4], [5], [6], [7], [8], [9], [10], [3], [4]]
    log_probs, state, _ = model.step(torch.tensor([history[-1] for history in histories]), state)
    check(log_probs, 3, [0, 1, 2])

    # Rows die and are continued twice, differently in every sentence.
    rows = [2, 0, 0, 3, 5, 4, 8, 8, 6]
    state = state.reorder(torch.tensor(rows))
    histories = [[*histories[row], token] for row, token in zip(rows, [3, 4, 5, 6, 7, 8, 9, 10, 3], strict=True)]
    log_probs, state, _ = model.step(torch.tensor([history[-1] for history in histories]), state)
    check(log_probs, 3, [0, 1, 2])

    # The memory is that of the sentences, never copied for the hypotheses.
    if memory is not None:
        assert state.memory is memory
        parts = (memory.values, memory.keys, memory.mask, memory.mask if memory.extra is None else memory.extra)
        assert all(part.shape[0] == 3 for part in parts)

    # The sentence in the middle leaves; then the beam narrows.
    state = state.keep(torch.tensor([0, 2]))
    histories = [[*histories[row], 5] for row in (0, 1, 2, 6, 7, 8)]
    log_probs, state, _ = model.step(torch.full((6,), 5), state)
    check(log_probs, 3, [0, 2])
    state = state.reorder(torch.tensor([1, 2, 5, 3]))
    histories = [[*histories[row], 6] for row in (1, 2, 5, 3)]
    log_probs, state, weights = model.step(torch.full((4,), 6), state)
    check(log_probs, 2, [0, 2])
    if memory is not None:
        assert state.memory.mask.shape[0] == 2
        assert weights is None or weights.shape[0] == 4


class InFloat32:
    """The network as search wants it: log-probabilities in float32."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def step(self, tokens: Tensor, state: DecodingState) -> tuple[Tensor, DecodingState, Tensor | None]:
        log_probs, state, weights = self.model.step(tokens, state)
        return log_probs.float(), state, weights


def search(subject: Any, batch: Batch, *, beam: int, n_best: int) -> Any:
    request = Request(
        max_lengths=batch.source_lengths.clamp(max=5), bos_id=BOS, eos_id=EOS, beam=beam, n_best=n_best,
        rules=Rules(forbidden=torch.tensor([PAD, BOS])), with_attention=True,
    )  # fmt: skip
    return beam_search(InFloat32(subject.model), start(subject, batch), request)


@torch.no_grad()
def test_search_scores_are_teacher_forced_scores(subject: Any, make_pairs: Pairs) -> None:
    together = search(subject, make_pairs(), beam=3, n_best=2)
    assert all(len(found) == 2 for found in together)
    flat = [hypothesis for found in together for hypothesis in found]
    sources = [source for source in SOURCES for _ in range(2)]
    forced = subject.log_probs(sources, [hypothesis.ids for hypothesis in flat])
    for hypothesis, log_probs in zip(flat, forced, strict=True):
        pieces = [*hypothesis.ids, *([EOS] if hypothesis.finished else [])]
        expected = sum(float(log_probs[place, piece]) for place, piece in enumerate(pieces))
        assert hypothesis.log_prob == pytest.approx(expected, abs=1e-5)
        assert hypothesis.score == pytest.approx(expected / len(pieces), abs=1e-5)
    # The shortest source is the most padded.
    alone = search(subject, make_pairs([SOURCES[1]], [[]]), beam=3, n_best=2)[0]
    assert [one.ids for one in alone] == [one.ids for one in together[1]]
    for one, other in zip(alone, together[1], strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-6)
        if one.attention is not None:
            close(other.attention[:, : one.attention.shape[1]], one.attention, 1e-6)


def logits_of(model: Any, batch: Batch) -> Tensor:
    return model(batch.source, batch.source_lengths, batch.target_in).logits


def loss_of(model: Any, batch: Batch) -> Tensor:
    logits = logits_of(model, batch)
    return functional.cross_entropy(logits[batch.target_mask], batch.target_out[batch.target_mask], reduction="sum")


def gradients_of(subject: Any, batch: Batch) -> list[Tensor]:
    """The loss, and its gradient by every parameter."""
    loss = loss_of(subject.model, batch)
    names, parameters = zip(*subject.model.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    idle = {name for name, gradient in zip(names, gradients, strict=True) if gradient is None}
    assert idle <= without_gradient(subject.description)
    shapes = zip(gradients, parameters, strict=True)
    return [loss.detach(), *(torch.zeros_like(one) if gradient is None else gradient for gradient, one in shapes)]


def without_gradient(description: Any) -> set[str]:
    """Parameters that a loss need not reach."""
    idle = set()
    if description.attention.type == "hard":  # whose choice is trained by its reward
        idle = {f"decoder.attention.{name}" for name in ("query.weight", "key.weight", "key.bias", "score.weight")}
    if description.attention.type == "none":  # whose decoder never sees the values
        layers = description.encoder.layers
        idle |= {f"encoder.stack.connections.gates.{index}.{name}" for index in range(layers) for name in GATE}
    return idle


GATE = ("weight", "bias")


def test_batches_and_padding_change_nothing(subject: Any, make_pairs: Pairs) -> None:
    batch = make_pairs()
    garbage = replace(
        batch,
        source=batch.source.masked_fill(~batch.source_mask, 9),
        target_in=batch.target_in.masked_fill(~batch.target_mask, 7),
        target_out=batch.target_out.masked_fill(~batch.target_mask, 5),
    )
    close(
        logits_of(subject.model, batch)[batch.target_mask], logits_of(subject.model, garbage)[batch.target_mask], 1e-12
    )
    alone = [gradients_of(subject, make_pairs([s], [t])) for s, t in zip(SOURCES, TARGETS, strict=True)]
    for whole, *parts in zip(gradients_of(subject, garbage), *alone, strict=True):
        close(whole, functools.reduce(torch.add, parts))


@torch.no_grad()
def test_later_pieces_change_nothing_before_them(subject: Any, make_pairs: Pairs) -> None:
    batch = make_pairs()
    logits = logits_of(subject.model, batch)
    for position in (1, 3):
        changed = batch.target_in.clone()
        changed[:, position] = (changed[:, position] + 1) % 11
        other = subject.model(batch.source, batch.source_lengths, changed).logits
        close(other[:, :position], logits[:, :position], 1e-12)
        assert (other[:, position] != logits[:, position]).any(dim=-1).all()


@torch.no_grad()
def test_every_source_piece_matters(subject: Any, make_pairs: Pairs) -> None:
    batch = make_pairs()
    logits = logits_of(subject.model, batch)
    for position in (0, 3):
        changed = batch.source.clone()
        changed[:, position] = (changed[:, position] + 1) % 11
        other = subject.model(changed, batch.source_lengths, batch.target_in).logits
        real = batch.source_mask[:, position]
        # From the second position on at the latest, the logits have seen the whole source.
        assert ((other - logits)[:, 1].abs().amax(dim=-1) > 1e-9)[real].all()
        close(other[~real], logits[~real], 1e-13)


def test_tied_weights_are_one_and_train_together(subject: Any, make_pairs: Pairs) -> None:
    model, tying = subject.model, subject.description.tying
    source, target, output = model.encoder.embedding.weight, model.decoder.embedding.weight, model.output.weight
    assert (target is output) == (tying in ("decoder", "all"))
    assert (source is target) == (tying in ("embeddings", "all"))
    stored = {id(parameter) for parameter in model.parameters()} & {id(source), id(target), id(output)}
    assert len(stored) == {"none": 3, "embeddings": 2, "decoder": 2, "all": 1}[tying]
    if tying == "none":
        return
    # The gradient of the one tensor is the sum of what each of its uses would get.
    batch = make_pairs()
    before = gradients_of(subject, batch)[1:]
    apart = copy.deepcopy(model)
    apart.output.weight = nn.Parameter(output.detach().clone())
    apart.encoder.embedding = copy.deepcopy(apart.encoder.embedding)
    of_source, of_target, of_output = torch.autograd.grad(
        loss_of(apart, batch), [apart.encoder.embedding.weight, apart.decoder.embedding.weight, apart.output.weight]
    )
    place = [parameter is target for parameter in model.parameters()].index(True)
    others = {"embeddings": [of_source], "decoder": [of_output], "all": [of_source, of_output]}[tying]
    close(before[place], functools.reduce(torch.add, others, of_target))


def combinations(*names: Any) -> set[Any]:
    return set(itertools.product(*(get_args(each) for each in names)))


def test_every_name_of_a_recipe_is_among_the_networks(descriptions: Any) -> None:
    def present(*paths: str) -> set[Any]:
        """The values at these dotted paths, together."""
        read = operator.attrgetter(*paths)
        return {read(each) for each in descriptions}

    def apart(pairs: set[Any]) -> set[Any]:
        """Those whose first two parts are both none, or neither."""
        return {each for each in pairs if (each[0] == "none") == (each[1] == "none")}

    kind, wiring = "attention.type", "attention.context"
    assert present(kind, wiring) == apart(combinations(AttentionName, ContextName))
    assert present("decoder.cell", wiring) == combinations(CellName, ContextName)
    assert present("encoder.cell") == set(get_args(CellName))
    assert present("bridge", "encoder.cell") >= {("final-state", cell) for cell in get_args(CellName)}
    assert present("decoder.readout", wiring) == combinations(ReadoutName, ContextName)
    assert present("decoder.context_gate", "decoder.readout", wiring) >= set(
        itertools.product(
            [True], ["tanh", "deep", "maxout"], ["output", "input-feeding", "previous-state", "conditional"]
        )
    )
    assert present("decoder.connection", wiring) == combinations(ConnectionName, ContextName)
    assert present("encoder.connection", "encoder.directions") == combinations(ConnectionName, DirectionsName)
    assert present("bridge", "tying") == combinations(BridgeName, TyingName)
    legal = {("backward", "bidirectional")} | {
        (bridge, directions)
        for bridge, directions in combinations(BridgeName, DirectionsName)
        if bridge != "backward" and (bridge, directions) != ("final-state", "bottom-bidirectional")
    }
    assert present("bridge", "encoder.directions") == legal
    assert present("generator") == set(get_args(GeneratorName))
    weighing = set(get_args(AttentionName)) - {"none", "summary"}
    copying = {each.attention.type for each in descriptions if each.generator == "copy"}
    assert copying == weighing
    assert {("local-m", score) for score in get_args(ScoreName)} <= present(kind, "attention.score")
    assert {("local-p", score) for score in get_args(ScoreName)} <= present(kind, "attention.score")
    turned = {directions for reverse, directions in present("encoder.reverse_source", "encoder.directions") if reverse}
    assert turned == set(get_args(DirectionsName)) - {"bidirectional"}  # which reads backwards as it is
    assert {1, 2, 3} <= present("decoder.transitions")
    assert {1, 2, 3} <= present("decoder.layers")
    assert {1, 2, 3} <= present("encoder.layers")
    assert {None, 4} <= present("encoder.output_size")
    assert present("encoder.embedding_in_output") == {True, False}
