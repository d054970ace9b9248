"""Every network that a recipe can describe: steps and sequences, beams, batches, padding, causality, tying."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from seq2seq.data.batch import Batch
from seq2seq.model.state import DecodingState
from seq2seq.recipe import AttentionName, BridgeName, CellName, ContextName, TyingName
from seq2seq.search import beam_search

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
    expected = subject.model(batch.source, batch.source_lengths, batch.target_in).log_softmax(-1)
    state = start(subject, batch)
    for position in range(batch.target_in.shape[1]):
        log_probs, state, weights = subject.model.step(batch.target_in[:, position], state)
        close(log_probs, expected[:, position])
        if subject.description.attention.type == "none":
            assert weights is None
        else:
            assert torch.count_nonzero(weights[~batch.source_mask]) == 0
            close(weights.sum(-1), torch.ones(3, dtype=torch.float64))


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
        assert memory.values.shape[0] == memory.keys.shape[0] == memory.mask.shape[0] == 3

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
        assert weights.shape[0] == 4


class InFloat32:
    """The network as search wants it: log-probabilities in float32."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def step(self, tokens: Tensor, state: DecodingState) -> tuple[Tensor, DecodingState, Tensor | None]:
        log_probs, state, weights = self.model.step(tokens, state)
        return log_probs.float(), state, weights


def search(subject: Any, batch: Batch, *, beam: int, n_best: int) -> Any:
    return beam_search(
        InFloat32(subject.model), start(subject, batch), sentences=batch.size,
        max_lengths=batch.source_lengths + 1, bos_id=BOS, eos_id=EOS, beam=beam, n_best=n_best,
        forbidden_ids=[PAD], with_attention=True,
    )  # fmt: skip


@torch.no_grad()
def test_search_scores_are_teacher_forced_scores(subject: Any, make_pairs: Pairs) -> None:
    together = search(subject, make_pairs(), beam=3, n_best=2)
    for source, found in zip(SOURCES, together, strict=True):
        assert len(found) == 2
        forced = subject.log_probs([source] * 2, [hypothesis.ids for hypothesis in found])
        for hypothesis, log_probs in zip(found, forced, strict=True):
            pieces = [*hypothesis.ids, *([EOS] if hypothesis.finished else [])]
            expected = sum(float(log_probs[place, piece]) for place, piece in enumerate(pieces))
            assert hypothesis.log_prob == pytest.approx(expected, abs=1e-5)
            assert hypothesis.score == pytest.approx(expected / len(pieces), abs=1e-5)
        alone = search(subject, make_pairs([source], [[]]), beam=3, n_best=2)[0]
        assert [one.ids for one in alone] == [one.ids for one in found]
        for one, other in zip(alone, found, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-6)
            if one.attention is not None:
                close(other.attention[:, : one.attention.shape[1]], one.attention, 1e-6)


def loss_of(model: Any, batch: Batch) -> Tensor:
    logits = model(batch.source, batch.source_lengths, batch.target_in)
    return functional.cross_entropy(logits[batch.target_mask], batch.target_out[batch.target_mask], reduction="sum")


def gradients_of(subject: Any, batch: Batch) -> list[Tensor]:
    """The loss, and its gradient by every parameter."""
    loss = loss_of(subject.model, batch)
    return [loss.detach(), *torch.autograd.grad(loss, list(subject.model.parameters()))]


def test_batches_and_padding_change_nothing(subject: Any, make_pairs: Pairs) -> None:
    batch = make_pairs()
    together = gradients_of(subject, batch)
    alone = [gradients_of(subject, make_pairs([s], [t])) for s, t in zip(SOURCES, TARGETS, strict=True)]
    for whole, *parts in zip(together, *alone, strict=True):
        close(whole, functools.reduce(torch.add, parts))

    garbage = Batch(
        source=batch.source.masked_fill(~batch.source_mask, 9),
        source_lengths=batch.source_lengths,
        target_in=batch.target_in.masked_fill(~batch.target_mask, 7),
        target_out=batch.target_out.masked_fill(~batch.target_mask, 5),
        target_lengths=batch.target_lengths,
        source_tokens=batch.source_tokens,
        target_tokens=batch.target_tokens,
    )
    for actual, expected in zip(gradients_of(subject, garbage), together, strict=True):
        close(actual, expected, 1e-12)


@torch.no_grad()
def test_later_pieces_change_nothing_before_them(subject: Any, make_pairs: Pairs) -> None:
    batch = make_pairs()
    logits = subject.model(batch.source, batch.source_lengths, batch.target_in)
    for position in (1, 3):
        changed = batch.target_in.clone()
        changed[:, position] = (changed[:, position] + 1) % 11
        other = subject.model(batch.source, batch.source_lengths, changed)
        close(other[:, :position], logits[:, :position], 1e-12)
        assert (other[:, position] != logits[:, position]).any(dim=-1).all()


@torch.no_grad()
def test_every_source_piece_matters(subject: Any, make_pairs: Pairs) -> None:
    batch = make_pairs()
    logits = subject.model(batch.source, batch.source_lengths, batch.target_in)
    for position in (0, 3):
        changed = batch.source.clone()
        changed[:, position] = (changed[:, position] + 1) % 11
        other = subject.model(changed, batch.source_lengths, batch.target_in)
        real = batch.source_mask[:, position]
        # From the second position on at the latest, the logits have seen the whole source.
        assert ((other - logits)[:, 1].abs().amax(dim=-1) > 1e-9)[real].all()
        close(other[~real], logits[~real], 1e-13)


def test_tied_weights_are_one_and_train_together(subject: Any, make_pairs: Pairs) -> None:
    model, tying = subject.model, subject.description.tying
    source, target, output = model.encoder.embedding.weight, model.decoder.embedding.weight, model.output.weight
    assert (target is output) == (tying != "none")
    assert (source is target) == (tying == "all")
    stored = {id(parameter) for parameter in model.parameters()} & {id(source), id(target), id(output)}
    assert len(stored) == {"none": 3, "decoder": 2, "all": 1}[tying]
    if tying == "none":
        return
    # The gradient of the one tensor is the sum of what each of its uses would get.
    batch = make_pairs()
    before = gradients_of(subject, batch)[1:]
    apart = copy.deepcopy(model)
    apart.output.weight = nn.Parameter(output.detach().clone())
    apart.encoder.embedding = copy.deepcopy(apart.encoder.embedding)
    loss = loss_of(apart, batch)
    parts = torch.autograd.grad(
        loss, [apart.encoder.embedding.weight, apart.decoder.embedding.weight, apart.output.weight]
    )
    place = [parameter is target for parameter in model.parameters()].index(True)
    close(before[place], parts[1] + parts[2] + (parts[0] if tying == "all" else 0.0))


def test_every_name_of_a_recipe_is_among_the_networks(descriptions: Any) -> None:
    wirings = {(each.attention.type, each.attention.context, each.decoder.cell) for each in descriptions}
    attentions = [name for name in get_args(AttentionName) if name != "none"]
    contexts = [name for name in get_args(ContextName) if name != "none"]
    for cell in get_args(CellName):
        assert ("none", "none", cell) in wirings
        for attention, context in itertools.product(attentions, contexts):
            assert (attention, context, cell) in wirings
        of_cell = [each for each in descriptions if each.decoder.cell == cell]
        assert {(each.bridge, each.tying) for each in of_cell} == set(
            itertools.product(get_args(BridgeName), get_args(TyingName))
        )
        depths = {(each.decoder.layers, each.decoder.residual) for each in of_cell}
        assert depths == {(1, False), (2, False), (2, True), (3, True)}
