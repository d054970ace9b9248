"""Phrases that must appear: against everything that contains them, and in small beams."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seq2seq.search import Diversity, Hypothesis, Phrases, beam_search, compaction, phrases_of
from seq2seq.search.constraints import _allocated
from seq2seq.search.rules import NO_TOKEN

CPU = torch.device("cpu")

PHRASES = [[[3, 4], [5]], [], [[4, 4, 3]], [[5, 5]]]


def search(model: Any, tables: Sequence[int], limits: Sequence[int], **options: Any) -> list[list[Hypothesis]]:
    phrases = options.pop("phrases", PHRASES)
    constraints = Phrases(phrases_of([phrases[table] for table in tables], device=CPU))
    return beam_search(model, model.start(tables), model.request(limits, constraints=constraints, **options))


def contains(ids: Sequence[int], phrase: Sequence[int]) -> bool:
    return any(list(ids[place : place + len(phrase)]) == list(phrase) for place in range(len(ids)))


def test_beginnings_by_hand() -> None:
    phrases = Phrases(phrases_of([[[7, 8, 9], [6]]], device=CPU))
    assert phrases.lengths.tolist() == [[3, 1]]
    none = NO_TOKEN
    assert phrases.beginnings().tolist() == [
        [
            [[none, none, 7], [none, 7, 8], [7, 8, 9]],
            [[none, none, 6], [none, none, none], [none, none, none]],
        ]
    ]


def test_allocation_by_hand() -> None:
    # Banks 2, 1, 0: their best first, then their second best; what is impossible comes last.
    log_probs = torch.tensor([[-1.0, -2.0, -3.0, -4.0, -5.0, -torch.inf, -6.0]])
    banks = torch.tensor([[0, 0, 1, 0, 2, 2, 1]])
    assert _allocated(log_probs, banks, count=7).tolist() == [[4, 2, 0, 6, 1, 3, 5]]


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_a_beam_that_holds_everything_finds_the_best_that_contains_them(
    toys: SimpleNamespace, length_penalty: float
) -> None:
    model = toys.hashing(tables=4, vocab=6)
    found = search(model, range(4), [5] * 4, beam=400, n_best=6, length_penalty=length_penalty)
    for table, hypotheses in enumerate(found):
        every = toys.exhaustive(model, toys.Request(table, 5, 400, 10**6, length_penalty))
        expected = [(ids, score) for ids, score in every if all(contains(ids, each) for each in PHRASES[table])][:6]
        finished = [best for best in hypotheses if best.finished]
        assert [best.ids for best in finished] == [ids for ids, _ in expected]
        assert [best.score for best in finished] == pytest.approx([score for _, score in expected], rel=1e-5)


@pytest.mark.parametrize("beam", [1, 2, 4])
def test_small_beams_contain_them_too(toys: SimpleNamespace, beam: int) -> None:
    model = toys.hashing(tables=20, vocab=12, end=4.0)
    # Phrases that begin like themselves and like each other, whose first tokens are hard to tell from false starts.
    kinds = [[[3, 3, 4]], [[3, 4, 3, 5]], [[3, 4], [3, 5]], [[6], [7], [8], [9, 10]], []]
    phrases = [kinds[table % 5] for table in range(20)]
    found = search(model, range(20), [20] * 20, beam=beam, n_best=beam, phrases=phrases)
    for table, hypotheses in enumerate(found):
        assert hypotheses[0].finished
        for best in hypotheses:
            assert not best.finished or all(contains(best.ids, phrase) for phrase in phrases[table])
            assert best.token_log_probs == model.replay(table, best.ids, finished=best.finished)[0]


def test_without_phrases_it_is_an_ordinary_beam(toys: SimpleNamespace) -> None:
    for kind in (toys.hashing, toys.full_of_ties):
        model = kind(tables=8, vocab=9)
        limits = [1 + n % 7 for n in range(8)]
        plain = beam_search(model, model.start(range(8)), model.request(limits, beam=4, n_best=2))
        phrases = [[[3]] if table == 3 else [] for table in range(8)]
        found = search(model, range(8), limits, beam=4, n_best=2, phrases=phrases)
        for table in range(8):
            if table != 3:
                assert found[table] == plain[table]


def test_phrases_that_come_by_themselves_cost_nothing(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=10, vocab=12, end=-1.0)
    plain = beam_search(model, model.start(range(10)), model.request([9] * 10, beam=8))
    phrases = [[best[0].ids[1:3]] for best in plain]
    found = search(model, range(10), [9] * 10, beam=8, phrases=phrases)
    for best, [constrained] in zip(plain, found, strict=True):
        assert constrained.score >= best[0].score - 1e-6 or constrained.ids == best[0].ids


def test_company_and_compaction_change_nothing(toys: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    model = toys.hashing(tables=12, vocab=10)
    limits = [4 + (5 * n) % 13 for n in range(12)]
    phrases = [[list(ids) for ids in itertools.combinations(range(3, 7), 1 + n % 3)][: n % 4] for n in range(12)]
    options = {"beam": 4, "n_best": 3, "with_attention": True, "phrases": phrases}
    together = search(model, range(12), limits, **options)
    for share in (1, 10**6):
        monkeypatch.setattr(compaction, "_SHARE", share)
        for table in range(12):
            assert toys.same(search(model, [table], [limits[table]], **options)[0], together[table])


def test_where_they_do_not_fit_as_many_as_possible(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=1, vocab=9)
    [found] = search(model, [0], [3], beam=3, n_best=1, phrases=[[[5, 6, 7, 8]]])
    assert [(best.ids, best.finished) for best in found] == [([5, 6, 7], False)]


def test_not_together_with_diversity(toys: SimpleNamespace) -> None:
    constraints = Phrases(phrases_of([[[3]]], device=CPU))
    with pytest.raises(ValueError, match="cannot be had together"):
        toys.request([3], beam=4, constraints=constraints, diversity=Diversity(groups=2))
