"""Beam search: by hand, against exhaustive enumeration, against a search over Python lists, and in company."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seq2seq.errors import ModelError
from seq2seq.search import Hypothesis, Scoring, beam_search, compaction
from seq2seq.search.greedy import greedy_search
from seq2seq.search.history import History

A, B = 3, 4


def search(model: Any, tables: list[int], limits: list[int], **options: Any) -> list[list[Hypothesis]]:
    return beam_search(model, model.start(tables), model.request(limits, **options))


def two_words(toys: SimpleNamespace) -> Any:
    return toys.markov(
        {1: {A: 0.5, B: 0.4, 2: 0.1}, A: {A: 0.3, B: 0.3, 2: 0.4}, B: {2: 0.9, A: 0.05, B: 0.05}}, vocab=5
    )


def summary(hypotheses: list[Hypothesis]) -> list[tuple[list[int], bool, float]]:
    return [(best.ids, best.finished, pytest.approx(best.log_prob)) for best in hypotheses]


def test_by_hand(toys: SimpleNamespace) -> None:
    # Step 1: A .5, B .4; the end, .1, comes third and is dropped. Step 2: B-end .36, A-end .2; alive: AA .15, AB .15.
    model = two_words(toys)
    [found] = search(model, [0], [3], beam=2, n_best=2, length_penalty=0.0)
    assert summary(found) == [([B], True, math.log(0.36)), ([A], True, math.log(0.2))]
    assert found[0].token_log_probs == pytest.approx([math.log(0.4), math.log(0.9)])
    assert model.rows == [1, 2]  # nothing alive can reach .2 any more


def test_by_hand_normalised(toys: SimpleNamespace) -> None:
    # ln .36 / 2 = -.511 beats all that AA and AB can reach, ln .15 / 3 = -.632; but ln .2 / 2 = -.805 does not.
    # Step 3: AB-end .15 * .9 = .135, ln .135 / 3 = -.668, and AA-end .15 * .4 = .06, ln .06 / 3 = -.938.
    model = two_words(toys)
    [best] = search(model, [0], [3], beam=2, n_best=1)
    assert summary(best) == [([B], True, math.log(0.36))]
    assert best[0].score == pytest.approx(-0.5108256)
    assert model.rows == [1, 2]
    [found] = search(model, [0], [3], beam=2, n_best=2)
    assert summary(found) == [([B], True, math.log(0.36)), ([A, B], True, math.log(0.135))]
    assert [best.score for best in found] == pytest.approx([-0.5108256, -0.6674935])
    assert model.rows[2:] == [1, 2, 2]


def test_a_wider_beam_finds_what_greedy_misses(toys: SimpleNamespace) -> None:
    model = two_words(toys)
    assert search(model, [0], [3], beam=1)[0][0].ids == [A]
    assert search(model, [0], [3], beam=2)[0][0].ids == [B]


def test_a_beam_of_one_stops_at_its_first_end(toys: SimpleNamespace) -> None:
    # Going on would find AB, ln .5 / 3 instead of ln .5 / 2, but then a beam of one would not be greedy search.
    model = toys.markov({1: {A: 1.0}, A: {2: 0.5, B: 0.5}, B: {2: 1.0}}, vocab=5)
    assert summary(search(model, [0], [9], beam=1)[0]) == [([A], True, math.log(0.5))]


def test_maximum_length(toys: SimpleNamespace) -> None:
    # After one token nothing can have ended: the end was third of two. What is alive is returned, and says so.
    [found] = search(two_words(toys), [0], [1], beam=2, n_best=2)
    assert summary(found) == [([A], False, math.log(0.5)), ([B], False, math.log(0.4))]
    # A beam of 3 sees the end: finished comes before unfinished, whatever the score.
    [found] = search(two_words(toys), [0], [1], beam=3, n_best=3)
    assert summary(found) == [([], True, math.log(0.1)), ([A], False, math.log(0.5)), ([B], False, math.log(0.4))]
    assert len(search(two_words(toys), [0], [1], beam=3, n_best=1)[0]) == 1


def test_nothing_ever_finishes(toys: SimpleNamespace) -> None:
    model = toys.markov({1: {A: 1.0}, A: {A: 0.5, B: 0.5}, B: {A: 1.0}}, vocab=5)
    [found] = search(model, [0], [4], beam=5, n_best=5, with_attention=True)
    # Step 3: ABA .5, AAA .25, AAB .25, in this order. Step 4: of equal ones first those of ABA, then AAA, then AAB.
    assert summary(found) == [
        ([A, B, A, A], False, math.log(0.25)),
        ([A, B, A, B], False, math.log(0.25)),
        ([A, A, B, A], False, math.log(0.25)),
        ([A, A, A, A], False, math.log(0.125)),
        ([A, A, A, B], False, math.log(0.125)),
    ]
    assert all(best.attention is not None and best.attention.shape == (4, 1) for best in found)


def test_end_at_once(toys: SimpleNamespace) -> None:
    model = toys.markov({1: {2: 0.9, A: 0.1}, A: {2: 1.0}}, vocab=5)
    [found] = search(model, [0], [9], beam=2, n_best=1, with_attention=True)
    assert summary(found) == [([], True, math.log(0.9))]
    assert found[0].attention is not None
    assert found[0].attention.shape == (1, 1)
    assert model.rows == [1]  # ln .9 / 1 is more than ln .1 / 9


def test_fewer_hypotheses_than_asked_for_where_there_are_no_more(toys: SimpleNamespace) -> None:
    model = toys.markov({1: {A: 0.5, 2: 0.5}, A: {2: 1.0}}, vocab=5)
    [found] = search(model, [0], [9], beam=50, n_best=50)
    assert [best.ids for best in found] == [[A], []]  # ln .5 / 2 and ln .5 / 1


def test_never_the_beginning_nor_what_is_forbidden(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=4, vocab=7)
    for forbidden in ((0,), (0, 3), (0, 2, 4)):
        found = search(model, [0, 1, 2, 3], [6] * 4, beam=30, n_best=30, forbidden_ids=forbidden)
        tokens = {token for hypotheses in found for best in hypotheses for token in best.ids}
        assert tokens == {3, 4, 5, 6} - set(forbidden)
        assert all(hypotheses[0].finished for hypotheses in found)


@pytest.mark.parametrize("length_penalty", [0.0, 0.5, 1.0, 2.0])
def test_a_beam_that_holds_everything_finds_the_best_of_everything(
    toys: SimpleNamespace, length_penalty: float
) -> None:
    model = toys.hashing(tables=3, vocab=6)
    limits = [4, 3, 1]
    found = search(model, [0, 1, 2], limits, beam=120, n_best=6, length_penalty=length_penalty)
    for table, (limit, hypotheses) in enumerate(zip(limits, found, strict=True)):
        finished = [best for best in hypotheses if best.finished]
        expected = toys.exhaustive(model, toys.Request(table, limit, 120, 6, length_penalty))
        assert [best.ids for best in finished] == [ids for ids, _ in expected]
        assert [best.score for best in finished] == pytest.approx([score for _, score in expected], rel=1e-5)


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("beam", [2, 3, 5, 40])
@pytest.mark.parametrize("kind", ["hashing", "full_of_ties"])
def test_agrees_with_lists(toys: SimpleNamespace, kind: str, beam: int, length_penalty: float) -> None:
    model = getattr(toys, kind)(tables=10, vocab=9)
    limits = [1 + n % 7 for n in range(10)]
    n_best = min(beam, 4)
    found = search(model, list(range(10)), limits, beam=beam, n_best=n_best, length_penalty=length_penalty)
    for table, (limit, hypotheses) in enumerate(zip(limits, found, strict=True)):
        expected = toys.one_by_one(model, toys.Request(table, limit, beam, n_best, length_penalty))
        assert [(best.ids, best.finished) for best in hypotheses] == [(ids, ended) for ids, _, ended in expected]
        assert [best.score for best in hypotheses] == pytest.approx([score for _, score, _ in expected], rel=1e-5)


def test_every_hypothesis_replays(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=16, vocab=12, end=-1.0)
    found = search(model, list(range(16)), [2 + n % 9 for n in range(16)], beam=4, n_best=4, with_attention=True)
    assert {best.finished for hypotheses in found for best in hypotheses} == {True, False}
    for table, hypotheses in enumerate(found):
        assert len({tuple(best.ids) for best in hypotheses}) == len(hypotheses) == 4
        ranks = [(-best.finished, -best.score) for best in hypotheses]
        assert ranks == sorted(ranks)
        for best in hypotheses:
            log_probs, attention = model.replay(table, best.ids, finished=best.finished)
            assert best.token_log_probs == log_probs
            assert best.log_prob == pytest.approx(math.fsum(log_probs), rel=1e-6)
            assert best.score == pytest.approx(best.log_prob / len(log_probs), rel=1e-6)
            assert best.attention is not None
            width = attention[0].shape[0]
            assert torch.equal(best.attention[:, :width], torch.stack(attention))
            assert not best.attention[:, width:].any()


@pytest.mark.parametrize("kind", ["hashing", "full_of_ties"])
def test_company_order_and_compaction_change_nothing(
    toys: SimpleNamespace, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = getattr(toys, kind)(tables=24, vocab=10)
    tables, limits = list(range(24)), [1 + (5 * n) % 13 for n in range(24)]
    options = {"beam": 3, "n_best": 2, "with_attention": True}
    model.rows.clear()
    together = search(model, tables, limits, **options)
    assert len(set(model.rows[1:])) > 3  # sentences did leave
    for table in tables:
        assert toys.same(search(model, [table], [limits[table]], **options)[0], together[table])
    order = sorted(tables, key=lambda table: (table * 7) % 24)
    for table, hypotheses in zip(order, search(model, order, [limits[n] for n in order], **options), strict=True):
        assert toys.same(hypotheses, together[table])
    for share in (1, 10**6):
        monkeypatch.setattr(compaction, "_SHARE", share)
        for table, hypotheses in enumerate(search(model, tables, limits, **options)):
            assert toys.same(hypotheses, together[table])


@pytest.mark.parametrize("kind", ["hashing", "full_of_ties"])
def test_what_other_devices_do_gives_the_same(
    toys: SimpleNamespace, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = getattr(toys, kind)(tables=24, vocab=10)
    tables, limits = list(range(24)), [1 + (5 * n) % 14 for n in range(24)]
    expected = {beam: search(model, tables, limits, beam=beam, with_attention=True) for beam in (1, 3)}
    monkeypatch.setattr("seq2seq.search.selection.looking_waits", lambda device: True)
    monkeypatch.setattr("seq2seq.search.compaction.looking_waits", lambda device: True)
    monkeypatch.setattr(History, "_unroll_by_sentence", History._unroll)
    model.rows.clear()
    for beam, results in expected.items():
        for found, hypotheses in zip(
            search(model, tables, limits, beam=beam, with_attention=True), results, strict=True
        ):
            assert toys.same(found, hypotheses)
    assert model.rows[:4] == [24] * 4  # nobody leaves before the first look


def test_stopping_saves_steps_and_changes_nothing(toys: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    model = toys.hashing(tables=8, vocab=9, end=1.0)
    options = {"beam": 4, "n_best": 2, "length_penalty": 0.6}
    model.rows.clear()
    stopped = search(model, list(range(8)), [30] * 8, **options)
    assert len(model.rows) < 30
    monkeypatch.setattr(Scoring, "best_reachable", lambda self, log_probs, **_: torch.full_like(log_probs, 1.0))
    model.rows.clear()
    assert [[best.ids for best in hypotheses] for hypotheses in search(model, list(range(8)), [30] * 8, **options)] == [
        [best.ids for best in hypotheses] for hypotheses in stopped
    ]
    assert len(model.rows) == 30


def test_stopping_when_nothing_better_is_one_token_away(toys: SimpleNamespace) -> None:
    """The end at once has a mean of log 0.9 = -0.105; the 25 tokens after 3, all certain, log 0.1 / 25 = -0.092."""
    chain = {token: {token + 1: 1.0} for token in range(3, 26)}
    model = toys.markov({1: {2: 0.9, 3: 0.1}, **chain, 26: {2: 1.0}}, vocab=27)
    for stopping, ids, steps in (("exact", list(range(3, 27)), 25), ("heuristic", [], 1)):
        model.rows.clear()
        scoring = Scoring(length_penalty=1.0, stopping=stopping)
        assert search(model, [0], [40], beam=2, scoring=scoring)[0][0].ids == ids
        assert len(model.rows) == steps
    # What is better one token later is waited for: 0.3 alone, 0.28 with a certain end, log 0.28 / 2.
    model = toys.markov({1: {2: 0.3, A: 0.28}, A: {2: 1.0}}, vocab=5)
    assert search(model, [0], [40], beam=2, scoring=scoring)[0][0].ids == [A]


def test_attention_only_if_asked_for(toys: SimpleNamespace) -> None:
    assert search(toys.hashing(tables=1, vocab=6), [0], [3], beam=2)[0][0].attention is None


def test_a_model_without_attention(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=1, vocab=6)
    step = model.step
    model.step = lambda tokens, state: (*step(tokens, state)[:2], None)
    [best] = search(model, [0], [3], beam=2, with_attention=True)[0]
    assert best.attention is None


@pytest.mark.parametrize("where", ["everywhere", "after a word", "on the way", "at the last place"])
def test_nan_is_named_not_returned(toys: SimpleNamespace, where: str) -> None:
    model = two_words(toys)
    if where == "everywhere":
        model.tables[:] = torch.nan
    elif where == "after a word":
        model.tables[0, B] = torch.nan
    elif where == "on the way":
        model.tables[0, B, A] = -torch.nan
    else:
        model.tables[0, 1, [2, A]] = torch.tensor([0.6, 0.4]).log()
        model.tables[0, A, 2] = -torch.inf
        model.tables[0, A, B] = torch.nan
    # At the last place there is a finished hypothesis already, the empty one, and NaN only among what is cut off.
    limit, n_best = (2, 1) if where == "at the last place" else (4, 2)
    with pytest.raises(ModelError, match="the model gives log-probabilities that are not numbers"):
        search(model, [0], [limit], beam=2, n_best=n_best)


def test_nan_after_the_end_of_another_sentence_is_not_its_business(toys: SimpleNamespace) -> None:
    # The model may compute rubbish in the rows of a sentence that is done: nobody looks at them.
    model = toys.hashing(tables=9, vocab=6)
    expected = search(model, list(range(9)), [2] + [9] * 8, beam=2)
    step, calls = model.step, iter(range(100))

    def rubbish(tokens: torch.Tensor, state: Any) -> Any:
        log_probs, state, attention = step(tokens, state)
        if next(calls) >= 2 and state.tables[0] == 0:
            log_probs[:2] = torch.nan
        return log_probs, state, attention

    model.step = rubbish
    assert search(model, list(range(9)), [2] + [9] * 8, beam=2) == expected


def test_impossible_everywhere_is_named(toys: SimpleNamespace) -> None:
    with pytest.raises(ModelError, match="the probability 0"):
        search(toys.markov({1: {A: 1.0}}, vocab=5), [0], [4], beam=2)


def test_a_sentence_that_dies_keeps_what_it_finished(toys: SimpleNamespace) -> None:
    model = toys.markov({1: {A: 0.9, 2: 0.1}, A: {}}, vocab=5)
    [found] = search(model, [0], [4], beam=2, n_best=2)
    assert summary(found) == [([], True, math.log(0.1))]


def test_no_sentences(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=1, vocab=5)
    assert search(model, [], [], beam=3) == []
    assert model.rows == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 0}, "beam must be at least 1, not 0"),
        ({"beam": 2, "n_best": 3}, r"n_best must lie between 1 and beam \(2\), not 3"),
        ({"beam": 2, "n_best": 0}, "n_best must lie between 1 and beam"),
        ({"beam": 2, "length_penalty": -1.0}, "length_penalty"),
        ({"beam": 2, "limits": [0]}, "max_lengths must be at least 1"),
        ({"beam": 2, "limits": [[3]]}, r"max_lengths must be integers of shape \[sentences\], not \[1, 1\]"),
        ({"beam": 2, "limits": [3.0]}, "max_lengths must be integers"),
    ],
)
def test_senseless_requests(toys: SimpleNamespace, options: dict[str, Any], message: str) -> None:
    model = toys.hashing(tables=1, vocab=5)
    limits = torch.tensor(options.pop("limits", [3]))
    with pytest.raises(ValueError, match=message):
        model.request(limits, **options)


def test_a_model_in_double_precision_is_searched_in_single(toys: SimpleNamespace) -> None:
    model = toys.full_of_ties(tables=2, vocab=9)
    expected = search(model, [0, 1], [5, 5], beam=3, with_attention=True)
    model.tables = model.tables.double()
    for found, single in zip(search(model, [0, 1], [5, 5], beam=3, with_attention=True), expected, strict=True):
        assert toys.same(found, single)


def test_nothing_is_left_for_autograd(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=2, vocab=6)
    model.tables.requires_grad_()
    for best in search(model, [0, 1], [4, 4], beam=2, with_attention=True):
        assert best[0].attention is not None
        assert not best[0].attention.requires_grad
    greedy_search(model, model.start([0]), model.request([3]))
