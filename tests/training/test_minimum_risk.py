"""Minimum-risk training: the expectation by hand, its gradient against autograd through the definition, the draw."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sacrebleu
import torch

from seq2seq.data.batch import Batch
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.minimum_risk import MinimumRisk, expectation
from seq2seq.training.objective import Objective
from seq2seq.training.precision import Precision

FULL = Precision(dtype=torch.float32, device=torch.device("cpu"))
WORDS = ["a", "b", "c", "d", "e", "f", "g"]

MakeModel = Callable[..., EncoderDecoder]
MakePairs = Callable[..., Batch]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Eleven pieces of one letter each, as many as the networks here know."""
    return Tokenizer.train([" ".join(WORDS)] * 50, algorithm="char", vocabulary_size=12)


def make(tokenizer: Tokenizer, **changes: Any) -> MinimumRisk:
    arguments: dict[str, Any] = {"weight": 0.5, "samples": 6, "sharpness": 0.3, "temperature": 1.0, "metric": "chrf"}
    return MinimumRisk(**arguments | changes, source_tokenizer=tokenizer, target_tokenizer=tokenizer)


def test_expectation_by_hand() -> None:
    # Probabilities 1/4 and 3/4 of the first sentence's two, 1/6, 2/6 and 3/6 of the second's three.
    totals = torch.tensor([0.0, math.log(3), -500.0, math.log(2) - 500.0, math.log(3) - 500.0], dtype=torch.float64)
    rewards = torch.tensor([1.0, 0.2, 0.6, 0.3, 0.0], dtype=torch.float64)
    shares, means = expectation(totals, torch.tensor([0, 0, 1, 1, 1]), rewards)
    torch.testing.assert_close(shares, torch.tensor([1 / 4, 3 / 4, 1 / 6, 2 / 6, 3 / 6], dtype=torch.float64))
    torch.testing.assert_close(means, torch.tensor([0.4, 0.2], dtype=torch.float64))


@pytest.mark.parametrize("metric", ["bleu", "chrf"])
def test_candidates(metric: str, make_model: MakeModel, make_pairs: MakePairs, tokenizer: Tokenizer) -> None:
    """The reference first, then what was drawn, once each, with SacreBLEU's scores of the text."""
    model, batch = make_model(dropout=0.9).train(), make_pairs()
    drawn = make(tokenizer, metric=metric).draw(model, batch, precision=FULL)
    assert model.training
    owners = drawn.owners.tolist()
    assert sorted(set(owners)) == [0, 1, 2, 3]
    assert owners == sorted(owners)
    assert len(owners) > 8  # some were drawn
    rows = [tuple(ids) for ids in _texts(drawn.batch.target_out, drawn.batch.target_lengths)]
    references = [tuple(ids) for ids in _texts(batch.target_out, batch.target_lengths)]
    assert len(set(zip(owners, rows, strict=True))) == len(rows)
    score = sacrebleu.sentence_chrf if metric == "chrf" else sacrebleu.sentence_bleu
    for index, (owner, row) in enumerate(zip(owners, rows, strict=True)):
        if index == 0 or owners[index - 1] != owner:
            assert row == references[owner]
        length = int(drawn.batch.source_lengths[index])
        assert length == int(batch.source_lengths[owner])
        words = length - 1  # the ends of sentence of the tokenizer and of the batch differ here
        assert torch.equal(drawn.batch.source[index, :words], batch.source[owner, :words])
        text, reference = tokenizer.decode([list(row), list(references[owner])])
        expected = score(text, [reference]).score / 100
        assert drawn.rewards[index].item() == pytest.approx(expected, abs=1e-6)


def test_the_gradient_is_that_of_the_definition(
    make_model: MakeModel, make_pairs: MakePairs, tokenizer: Tokenizer
) -> None:
    model, batch = make_model().double(), make_pairs()
    risk = make(tokenizer)
    candidates = risk.draw(model, batch, precision=FULL)
    twin = copy.deepcopy(model)

    def logits(of: EncoderDecoder) -> torch.Tensor:
        return of(candidates.batch.source, candidates.batch.source_lengths, candidates.batch.target_in).logits

    surrogate, value = risk.loss(logits(model), candidates)
    surrogate.backward()

    log_probs = torch.log_softmax(logits(twin), dim=-1)
    expected = torch.zeros((), dtype=torch.float64)
    for sentence in range(batch.size):
        members = [index for index, owner in enumerate(candidates.owners.tolist()) if owner == sentence]
        totals = []
        for index in members:
            ids = candidates.batch.target_out[index, : int(candidates.batch.target_lengths[index])]
            totals.append(sum(log_probs[index, place, piece] for place, piece in enumerate(ids.tolist())))
        shares = torch.softmax(0.3 * torch.stack(totals), dim=0)
        expected = expected - (shares * candidates.rewards[members].double()).sum()
    expected.backward()
    assert value.item() == pytest.approx(expected.item(), abs=1e-12)
    for parameter, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert other.grad is not None
        torch.testing.assert_close(parameter.grad, other.grad, rtol=0, atol=1e-10)


def test_descending_it_raises_the_expected_score(
    make_model: MakeModel, make_pairs: MakePairs, tokenizer: Tokenizer
) -> None:
    model, batch = make_model(), make_pairs()
    objective = Objective(risk=make(tokenizer, weight=1.0, samples=10, sharpness=1.0))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    before, after = [], []
    for update in range(60):
        assert objective.risk is not None
        candidates = objective.risk.draw(model, batch, precision=FULL)
        drawn = [reward for reward in candidates.rewards.tolist() if reward < 1.0]
        (before if update < 5 else after if update >= 55 else []).append(sum(drawn) / len(drawn))
        optimizer.zero_grad()
        objective(model, batch, precision=FULL).descended.backward()
        optimizer.step()
    assert sum(after) > 1.3 * sum(before)


def test_the_parts_of_an_objective(make_model: MakeModel, make_pairs: MakePairs, tokenizer: Tokenizer) -> None:
    """What is descended is the weighted sum of both parts; what is reported is the cross-entropy."""
    model, batch = make_model(), make_pairs()
    plain = Objective(label_smoothing=0.1)(model, batch, precision=FULL)
    values = []
    for weight in (0.0, 0.25, 1.0):
        torch.manual_seed(3)
        mixed = Objective(label_smoothing=0.1, risk=make(tokenizer, weight=weight))(model, batch, precision=FULL)
        assert mixed.loss.item() == plain.loss.item()
        assert mixed.likelihood.item() == plain.likelihood.item()
        values.append(mixed.descended.item())
    assert values[0] == pytest.approx(plain.loss.item())
    assert values[1] == pytest.approx(0.75 * values[0] + 0.25 * values[2])


def _texts(ids: torch.Tensor, lengths: torch.Tensor) -> list[Sequence[int]]:
    return [row[: length - 1] for row, length in zip(ids.tolist(), lengths.tolist(), strict=True)]
