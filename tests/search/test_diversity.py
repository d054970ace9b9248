"""Diverse beam search: by hand, and against one over Python lists."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seq2seq.search import Diversity, Hypothesis, beam_search, compaction

A, B, C = 3, 4, 5


def search(model: Any, limits: list[int], tables: list[int] | None = None, **options: Any) -> list[list[Hypothesis]]:
    tables = list(range(len(limits))) if tables is None else tables
    return beam_search(model, model.start(tables), model.request(limits, **options))


def test_by_hand(toys: SimpleNamespace) -> None:
    # Two beams of one. The first takes A, .5. To the second A counts e^-1 times as much, .18, less than B, .3. Then
    # both end: for the second an end that the first has just chosen costs nothing, for it goes nowhere.
    model = toys.markov({1: {A: 0.5, B: 0.3, C: 0.2}, A: {2: 1.0}, B: {2: 0.6, A: 0.4}, C: {2: 1.0}}, vocab=6)
    [found] = search(model, [3], beam=2, n_best=2, length_penalty=0.0, diversity=Diversity(groups=2, strength=1.0))
    assert [best.ids for best in found] == [[A], [B]]
    assert [best.log_prob for best in found] == pytest.approx([math.log(0.5), math.log(0.18)])
    # Of a strength of .2 the second thinks A worth .41.
    [found] = search(model, [3], beam=2, n_best=2, diversity=Diversity(groups=2, strength=0.2))
    assert [best.ids for best in found] == [[A]]  # both found it: it is there once


def one_by_one(
    toys: SimpleNamespace, model: Any, table: int, *, limit: int, beam: int, groups: int, strength: float
) -> list[tuple[tuple[int, ...], bool]]:
    """Everything that the groups' searches over lists finish, and what is alive at the limit."""
    live: list[list[tuple[list[int], float]]] = [[([], 0.0)] for _ in range(groups)]
    finished: list[list[tuple[list[int], float, bool]]] = [[] for _ in range(groups)]
    for length in range(1, limit + 1):
        chosen: list[int] = []
        for group in range(groups):
            candidates = []
            for parent, (ids, log_prob) in enumerate(live[group]):
                state = model.start([table])
                for token in [1, *ids]:
                    scores, state, _ = model.step(torch.tensor([token]), state)
                for token, more in enumerate(scores[0].tolist()):
                    if token > 1:
                        penalised = log_prob + more - strength * chosen.count(token)
                        candidates.append((-penalised, parent, token, log_prob + more))
            candidates.sort()
            after = []
            for rank, (_, parent, token, log_prob) in enumerate(candidates[: 2 * beam]):
                ids = live[group][parent][0]
                if token == 2 and rank < beam:
                    finished[group].append((ids, log_prob / length, True))
                elif token != 2 and len(after) < beam:
                    after.append(([*ids, token], log_prob))
            live[group] = after
            chosen += [ids[-1] for ids, _ in after]
    found = []
    for group in range(groups):
        ended = sorted(finished[group], key=lambda each: -each[1])
        found += (ended + [(ids, log_prob / limit, False) for ids, log_prob in live[group]])[:beam]
    ranked = sorted(found, key=lambda each: (not each[2], -each[1]))
    return list(dict.fromkeys((tuple(ids), ended) for ids, _, ended in ranked))


@pytest.mark.parametrize(("groups", "beam"), [(2, 1), (3, 2), (2, 4)])
def test_agrees_with_lists(toys: SimpleNamespace, groups: int, beam: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = toys.hashing(tables=8, vocab=9, end=-1.0)
    # To the limit, for a group that stops early chooses no tokens that another would have to differ from.
    monkeypatch.setattr(
        "seq2seq.search.scoring.Scoring.best_reachable", lambda self, live, **_: live.new_full(live.shape, 1.0)
    )
    limits = [5] * 8
    diversity = Diversity(groups=groups, strength=0.7)
    found = search(model, limits, beam=groups * beam, n_best=groups * beam, diversity=diversity)
    for table, hypotheses in enumerate(found):
        expected = one_by_one(toys, model, table, limit=5, beam=beam, groups=groups, strength=0.7)
        assert [(tuple(best.ids), best.finished) for best in hypotheses] == expected


def test_company_and_compaction_change_nothing(toys: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    model = toys.hashing(tables=12, vocab=10)
    limits = [1 + (5 * n) % 13 for n in range(12)]
    options = {"beam": 6, "n_best": 4, "diversity": Diversity(groups=3), "with_attention": True}
    together = search(model, limits, **options)
    assert all(len({tuple(best.ids) for best in found}) == len(found) for found in together)
    for share in (1, 10**6):
        monkeypatch.setattr(compaction, "_SHARE", share)
        for table in range(12):
            assert toys.same(search(model, [limits[table]], [table], **options)[0], together[table])


def test_it_makes_translations_differ(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=30, vocab=12, end=-1.0)

    def kinds(**options: Any) -> int:
        found = search(model, [8] * 30, beam=6, n_best=6, **options)
        return sum(len({best.ids[0] for best in hypotheses if best.ids}) for hypotheses in found)

    assert kinds(diversity=Diversity(groups=6, strength=2.0)) > 1.5 * kinds()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"groups": 1}, "at least 2 groups"), ({"groups": 2, "strength": 0.0}, "strength of diverse beam search")],
)
def test_senseless_diversities(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Diversity(**options)


def test_a_beam_is_divided_evenly(toys: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="a beam of 5 cannot be divided into 2 equal groups"):
        toys.request([3], beam=5, diversity=Diversity(groups=2))
