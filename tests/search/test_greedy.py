"""Greedy search: worked by hand, against replay, and against a beam of one."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seq2seq.errors import ModelError
from seq2seq.search import beam_search, compaction, greedy_search
from seq2seq.search.hypothesis import Hypothesis

A, B = 3, 4


def search(model: Any, tables: list[int], limits: list[int], **options: Any) -> list[Hypothesis]:
    return greedy_search(model, model.start(tables), model.request(limits, **options))


def test_by_hand(toys: SimpleNamespace) -> None:
    model = toys.markov({1: {A: 0.5, B: 0.4, 2: 0.1}, A: {A: 0.3, B: 0.3, 2: 0.4}, B: {2: 0.9, A: 0.1}}, vocab=5)
    [best] = search(model, [0], [5])
    assert (best.ids, best.finished) == ([A], True)
    assert best.token_log_probs == pytest.approx([math.log(0.5), math.log(0.4)])
    assert best.log_prob == pytest.approx(math.log(0.2))
    assert best.score == pytest.approx(math.log(0.2) / 2)
    assert model.rows == [1, 1]
    [best] = search(model, [0], [5], length_penalty=0.0)
    assert best.score == best.log_prob
    # Bounded by one token there is no room for the end.
    [best] = search(model, [0], [1])
    assert (best.ids, best.finished) == ([A], False)
    assert best.score == pytest.approx(math.log(0.5))


def test_equal_tokens_lowest_id(toys: SimpleNamespace) -> None:
    model = toys.markov({1: {A: 0.5, B: 0.5}, A: {A: 0.25, 2: 0.25, B: 0.25}}, vocab=5)
    assert search(model, [0], [9])[0].ids == [A]


def test_end_at_once(toys: SimpleNamespace) -> None:
    [best] = search(toys.markov({1: {2: 0.9, A: 0.1}}, vocab=5), [0], [9], with_attention=True)
    assert (best.ids, best.finished) == ([], True)
    assert best.attention is not None
    assert best.attention.shape == (1, 1)


def test_never_the_beginning_nor_what_is_forbidden(toys: SimpleNamespace) -> None:
    model = toys.markov({1: {1: 0.5, 0: 0.3, A: 0.15, B: 0.05}, A: {2: 1.0}, B: {2: 1.0}}, vocab=5)
    assert search(model, [0], [1], forbidden_ids=())[0].ids == [0]
    assert search(model, [0], [5], forbidden_ids=(0,))[0].ids == [A]
    assert search(model, [0], [5], forbidden_ids=(0, A))[0].ids == [B]
    # The end of sentence is never forbidden: padding may share its id.
    assert search(model, [0], [5], forbidden_ids=(0, 2, A))[0].finished


def test_each_token_is_the_best_one_and_replays(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=23, vocab=11, end=-1.0)
    limits = [1 + n % 9 for n in range(23)]
    found = search(model, list(range(23)), limits, forbidden_ids=(0,), with_attention=True)
    assert {hypothesis.finished for hypothesis in found} == {True, False}
    for table, (limit, best) in enumerate(zip(limits, found, strict=True)):
        state, previous, expected = model.start([table]), 1, []
        while previous != 2 and len(expected) < limit:
            scores, state, _ = model.step(torch.tensor([previous]), state)
            row = scores[0].tolist()
            previous = max(range(2, 11), key=lambda token: row[token])
            expected.append(previous)
        assert best.ids + [2] * best.finished == expected
        log_probs, attention = model.replay(table, best.ids, finished=best.finished)
        assert best.token_log_probs == log_probs
        assert best.log_prob == pytest.approx(math.fsum(log_probs), rel=1e-6)
        assert best.attention is not None
        width = attention[0].shape[0]
        assert torch.equal(best.attention[:, :width], torch.stack(attention))
        assert not best.attention[:, width:].any()


def test_a_beam_of_one_is_greedy(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=9, vocab=11)
    tables = list(range(9))
    beams = beam_search(model, model.start(tables), model.request([7] * 9, beam=1))
    assert beams == [[best] for best in search(model, tables, [7] * 9)]


def test_company_and_compaction_change_nothing(toys: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    model = toys.hashing(tables=23, vocab=11, end=-0.5)
    tables, limits = list(range(23)), [1 + n % 12 for n in range(23)]
    options = {"forbidden_ids": (0,), "with_attention": True}
    model.rows.clear()
    together = search(model, tables, limits, **options)
    assert len(set(model.rows)) > 3  # sentences did leave
    for table in tables:
        assert toys.same(search(model, [table], [limits[table]], **options), [together[table]])
    for share in (1, 10**6):
        monkeypatch.setattr(compaction, "_SHARE", share)
        assert toys.same(search(model, tables, limits, **options), together)


def test_nothing_to_do(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=1, vocab=5)
    assert search(model, [], []) == []
    assert model.rows == []


def test_a_broken_model_is_named(toys: SimpleNamespace) -> None:
    model = toys.markov({1: {A: 1.0}, A: {}}, vocab=5)
    with pytest.raises(ModelError, match="gives every continuation of a sentence the probability 0"):
        search(model, [0], [5])
    model.tables[0, A] = torch.nan
    with pytest.raises(ModelError, match="not numbers"):
        search(model, [0], [5])
