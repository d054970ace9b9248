"""Ensembles: by hand, against tables that were combined beforehand, and in company."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

from seq2seq.errors import ModelError
from seq2seq.search import Ensemble, EnsembleState, Hypothesis, beam_search, compaction, greedy_search

A, B = 3, 4


def search(model: Any, state: Any, limits: Sequence[int], **options: Any) -> list[list[Hypothesis]]:
    first = model.members[0] if isinstance(model, Ensemble) else model
    return beam_search(model, state, first.request(limits, **options))


def started(ensemble: Ensemble, tables: Sequence[int]) -> EnsembleState:
    return EnsembleState(tuple(member.start(tables) for member in ensemble.members))  # type: ignore[attr-defined]


def mixed(probabilities: Sequence[Any], weights: Sequence[float], combination: str) -> Any:
    """The definition, in float64: distributions on the last axis, combined."""
    shares = numpy.array(weights) / sum(weights)
    if combination == "linear":
        return sum(share * each for share, each in zip(shares, probabilities, strict=True))
    product = numpy.prod([each**share for share, each in zip(shares, probabilities, strict=True)], axis=0)
    return product / product.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Stub:
    """A model without a state that says the same whatever it reads."""

    log_probs: Tensor
    attention: Tensor | None = None

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any, Tensor | None]:
        return self.log_probs.clone(), state, self.attention


def said(members: Sequence[Stub], **options: Any) -> tuple[Tensor, Tensor | None]:
    ensemble = Ensemble(members, **options)
    state: Any = EnsembleState((None,) * len(members))  # type: ignore[arg-type]
    log_probs, _, attention = ensemble.step(torch.zeros(len(members[0].log_probs), dtype=torch.long), state)
    return log_probs, attention


def stub(*rows: Sequence[float], attention: Sequence[Sequence[float]] | None = None) -> Stub:
    return Stub(torch.tensor(rows).log(), None if attention is None else torch.tensor(attention))


# One step, by hand


def test_log_linear_by_hand() -> None:
    # Roots of products: sqrt(.8 * .2) = .4, sqrt(.1 * .4) = .2, sqrt(.1 * .4) = .2; their sum is .8.
    log_probs, attention = said([stub([0.8, 0.1, 0.1]), stub([0.2, 0.4, 0.4])])
    assert log_probs.exp()[0].tolist() == pytest.approx([0.5, 0.25, 0.25])
    assert attention is None


def test_linear_by_hand() -> None:
    log_probs, _ = said([stub([0.8, 0.1, 0.1]), stub([0.2, 0.4, 0.4])], combination="linear")
    assert log_probs.exp()[0].tolist() == pytest.approx([0.5, 0.25, 0.25])
    log_probs, _ = said([stub([0.9, 0.1, 0.0]), stub([0.1, 0.1, 0.8])], combination="linear", weights=[3, 1])
    assert log_probs.exp()[0].tolist() == pytest.approx([0.7, 0.1, 0.2])


def test_weights_are_shares() -> None:
    # .8^(2/3) .1^(1/3) = .4, .1^(2/3) .8^(1/3) = .2 and .1; over .7.
    members = [stub([0.8, 0.1, 0.1]), stub([0.1, 0.8, 0.1])]
    for weights in ([2.0, 1.0], [200, 100]):
        log_probs, _ = said(members, weights=weights)
        assert log_probs.exp()[0].tolist() == pytest.approx([4 / 7, 2 / 7, 1 / 7])


def test_one_member_rules_a_token_out_only_where_probabilities_are_multiplied() -> None:
    members = [stub([0.5, 0.5, 0.0]), stub([0.0, 0.5, 0.5])]
    assert said(members)[0].exp()[0].tolist() == pytest.approx([0.0, 1.0, 0.0])
    assert said(members, combination="linear")[0].exp()[0].tolist() == pytest.approx([0.25, 0.5, 0.25])


@pytest.mark.parametrize("combination", ["linear", "log-linear"])
def test_nothing_is_more_than_certain(combination: Any) -> None:
    log_probs = (torch.sin(torch.arange(400.0)).view(4, 100) * 20).log_softmax(-1)
    members = [Stub(log_probs + bias) for bias in (1e-6, 2e-7, 0.0)]
    found, _ = said(members, combination=combination)
    assert found.max() <= 0.0
    assert found.exp().sum(-1).tolist() == pytest.approx([1.0] * 4, abs=1e-5)


def test_what_members_say_is_theirs() -> None:
    """The search may overwrite the outcome, and a short format is widened before anything is added."""
    member = Stub(torch.tensor([[0.3, 0.7]]).log().bfloat16())
    before = member.log_probs.clone()
    log_probs, _ = said([member, member], combination="linear")
    assert log_probs.dtype == torch.float32
    log_probs.fill_(-1.0)
    assert torch.equal(member.log_probs, before)


def test_attention_is_averaged_by_weight() -> None:
    one = stub([1.0, 1.0], attention=[[0.5, 0.5, 0.0]])
    other = stub([1.0, 1.0], attention=[[0.1, 0.9]])  # without the column of padding
    blind = stub([1.0, 1.0])
    attention = said([one, blind, other], weights=[3, 5, 1])[1]
    assert attention is not None
    assert attention[0].tolist() == pytest.approx([0.4, 0.6, 0.0])
    attention = said([one, blind, other], attending=[2])[1]
    assert attention is not None
    assert attention[0].tolist() == pytest.approx([0.1, 0.9])
    assert said([one, blind, other], attending=[1])[1] is None
    assert said([one, blind, other], attending=[])[1] is None


def test_what_cannot_be_an_ensemble() -> None:
    with pytest.raises(ValueError, match="needs a member"):
        Ensemble([])
    for weights in ([1.0], [1.0, 0.0], [1.0, -1.0], [1.0, math.inf], [1.0, math.nan]):
        with pytest.raises(ValueError, match="an ensemble of 2 needs as many weights above 0"):
            Ensemble([stub([1.0]), stub([1.0])], weights=weights)


# Whole searches


def tables_mixed(members: Sequence[Any], weights: Sequence[float], combination: str) -> Any:
    """One model whose tables are those of the members, combined before anything is searched."""
    probabilities = [member.tables.double().exp().numpy() for member in members]
    table = torch.from_numpy(numpy.log(mixed(probabilities, weights, combination))).float()
    first = members[0]
    return type(first)(table, remember=first.remember, source_lengths=first.source_lengths.tolist())


def hashings(toys: SimpleNamespace, *, tables: int, end: float = 0.0) -> list[Any]:
    """Three models that remember alike and say different things."""
    models = [toys.hashing(tables=tables, vocab=11, end=end) for _ in range(3)]
    for number, model in enumerate(models):
        order = torch.cat((torch.arange(3), 3 + (torch.arange(8) * (2 * number + 1) + number) % 8))
        model.tables = (model.tables * (1 + 0.25 * number)).log_softmax(-1)[:, :, order]
    return models


@pytest.mark.parametrize("combination", ["log-linear", "linear"])
@pytest.mark.parametrize("beam", [1, 4])
def test_searching_with_an_ensemble_is_searching_the_combined_tables(
    toys: SimpleNamespace, combination: Any, beam: int
) -> None:
    members, weights = hashings(toys, tables=17), [1.0, 2.5, 0.5]
    tables, limits = list(range(17)), [1 + n % 9 for n in range(17)]
    ensemble = Ensemble(members, combination=combination, weights=weights)
    twin = tables_mixed(members, weights, combination)
    options = {"beam": beam, "n_best": beam, "with_attention": True}
    found = search(ensemble, started(ensemble, tables), limits, **options)
    expected = search(twin, twin.start(tables), limits, **options)
    for ours, theirs in zip(found, expected, strict=True):
        assert [each.ids for each in ours] == [each.ids for each in theirs]
        for one, other in zip(ours, theirs, strict=True):
            assert one.finished == other.finished
            assert one.token_log_probs == pytest.approx(other.token_log_probs, abs=2e-6)
            assert torch.allclose(one.attention, other.attention, atol=1e-5)  # theirs attend alike
    alone = search(members[0], members[0].start(tables), limits, **options)
    assert [best[0].ids for best in alone] != [best[0].ids for best in found]


@pytest.mark.parametrize("combination", ["log-linear", "linear"])
def test_models_that_remember_different_things(toys: SimpleNamespace, combination: Any) -> None:
    """Against everything that can be said, each scored by replaying it in every member alone."""
    last_token = toys.markov(
        {1: {A: 0.5, B: 0.4, 2: 0.1}, A: {A: 0.3, B: 0.3, 2: 0.4}, B: {2: 0.5, A: 0.25, B: 0.25}}, vocab=5
    )
    history = toys.hashing(tables=1, vocab=5)
    members, weights = [last_token, history], [2.0, 1.0]

    def distribution(member: Any, ids: Sequence[int]) -> Any:
        state = member.start([0])
        for token in [1, *ids]:
            log_probs, state, _ = member.step(torch.tensor([token]), state)
        return log_probs[0].double().exp().numpy()

    scored = {}
    for length in range(4):
        for ids in itertools.product((A, B), repeat=length):
            log_prob = 0.0
            for place, token in enumerate([*ids, 2]):
                both = [distribution(member, ids[:place]) for member in members]
                log_prob += math.log(mixed(both, weights, combination)[token])
            scored[ids] = log_prob / (length + 1)
    expected = sorted(scored.items(), key=lambda pair: -pair[1])[:3]
    ensemble = Ensemble(members, combination=combination, weights=weights)
    [found] = search(ensemble, started(ensemble, [0]), [4], beam=20, n_best=3)
    assert [tuple(best.ids) for best in found] == [ids for ids, _ in expected]
    assert [best.score for best in found] == pytest.approx([score for _, score in expected], abs=1e-6)


@pytest.mark.parametrize("combination", ["log-linear", "linear"])
def test_a_model_with_itself_is_the_model(toys: SimpleNamespace, combination: Any) -> None:
    model = toys.hashing(tables=9, vocab=11)
    tables, limits = list(range(9)), [8] * 9
    ensemble = Ensemble([model, model, model], combination=combination, weights=[1.0, 2.0, 4.0])
    options = {"beam": 3, "n_best": 3, "with_attention": True}
    found = search(ensemble, started(ensemble, tables), limits, **options)
    expected = search(model, model.start(tables), limits, **options)
    for ours, theirs in zip(found, expected, strict=True):
        assert [(each.ids, each.finished) for each in ours] == [(each.ids, each.finished) for each in theirs]
        for one, other in zip(ours, theirs, strict=True):
            assert one.score == pytest.approx(other.score, abs=2e-6)
            assert torch.allclose(one.attention, other.attention, atol=1e-4)


@pytest.mark.parametrize("combination", ["log-linear", "linear"])
@pytest.mark.parametrize("beam", [1, 3])
def test_company_and_compaction_change_nothing(
    toys: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, combination: Any, beam: int
) -> None:
    members = hashings(toys, tables=23, end=-0.5)
    ensemble = Ensemble(members, combination=combination, weights=[1.0, 2.0, 0.7])
    tables, limits = list(range(23)), [1 + n % 12 for n in range(23)]
    options = {"beam": beam, "n_best": beam, "with_attention": True}
    members[0].rows.clear()
    together = search(ensemble, started(ensemble, tables), limits, **options)
    assert len(set(members[0].rows)) > 3  # sentences did leave
    for table in tables:
        [alone] = search(ensemble, started(ensemble, [table]), [limits[table]], **options)
        assert toys.same(alone, together[table])
    for share in (1, 10**6):
        monkeypatch.setattr(compaction, "_SHARE", share)
        again = search(ensemble, started(ensemble, tables), limits, **options)
        assert all(toys.same(one, other) for one, other in zip(again, together, strict=True))


def test_members_that_contradict_each_other_wholly(toys: SimpleNamespace) -> None:
    one = toys.markov({1: {A: 1.0}, A: {2: 1.0}}, vocab=5)
    other = toys.markov({1: {B: 1.0}, B: {2: 1.0}}, vocab=5)
    ensemble = Ensemble([one, other])
    with pytest.raises(ModelError, match="gives every continuation of a sentence the probability 0"):
        search(ensemble, started(ensemble, [0]), [5], beam=2)
    one.tables[0, 1] = torch.nan
    for combination in ("log-linear", "linear"):
        broken = Ensemble([one, other], combination=combination)  # type: ignore[arg-type]
        with pytest.raises(ModelError, match="not numbers"):
            greedy_search(broken, started(broken, [0]), one.request([5]))
