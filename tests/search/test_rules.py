"""Rules: by hand, and against everything that obeys them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seq2seq.search import Rules, beam_search, compaction, greedy_search, phrases_of, prefixes_of
from seq2seq.search.rules import NO_TOKEN

CPU = torch.device("cpu")
EOS = 2


def excluded(
    rules: Rules, so_far: Sequence[Sequence[int]], *, sentences: Sequence[int], vocab: int = 8
) -> list[set[int]]:
    """The tokens that may not follow the tokens so far of every row."""
    tokens = torch.tensor(so_far, dtype=torch.long).view(len(so_far), -1)
    log_probs = rules.apply(
        torch.full((len(so_far), vocab), -1.0),
        sentences=torch.tensor(sentences),
        length=tokens.shape[1] + 1,
        so_far=tokens,
        eos_id=EOS,
    )
    return [{token for token, value in enumerate(row) if value != -1.0} for row in log_probs.tolist()]


def rules(**options: Any) -> Rules:
    return Rules(forbidden=torch.tensor([0, 1]), **options)


def test_repetitions_by_hand() -> None:
    so_far = [[3, 4, 3, 4, 3], [3, 4, 5, 6, 7], [3, 3, 3, 3, 3], [4, 5, 3, 4, 6]]
    assert excluded(rules(no_repeat_ngram=2), so_far, sentences=[0, 1]) == [{0, 1, 4}, {0, 1}, {0, 1, 3}, {0, 1}]
    assert excluded(rules(no_repeat_ngram=3), so_far, sentences=[0]) == [{0, 1, 4}, {0, 1}, {0, 1, 3}, {0, 1}]
    assert excluded(rules(no_repeat_ngram=1), so_far[:2], sentences=[0]) == [{0, 1, 3, 4}, {0, 1, 3, 4, 5, 6, 7}]
    assert excluded(rules(no_repeat_ngram=6), so_far[2:3], sentences=[0]) == [{0, 1}]
    assert excluded(rules(no_repeat_ngram=2), [[], []], sentences=[0]) == [{0, 1}, {0, 1}]


def test_phrases_by_hand() -> None:
    avoided = phrases_of([[[5], [3, 4], [3, 3, 6]], [[], [4, 7]]], device=CPU)
    assert avoided.tolist()[1] == [[NO_TOKEN, 4, 7], [NO_TOKEN] * 3, [NO_TOKEN] * 3]
    # Two rows of each of two sentences.
    found = excluded(rules(avoided=avoided), [[3, 3], [4, 5], [4, 4], [3, 3]], sentences=[0, 1])
    assert found == [{0, 1, 4, 5, 6}, {0, 1, 5}, {0, 1, 7}, {0, 1}]
    # Sentence 1 alone, whose batch has lost sentence 0; and nothing yet to look back on.
    assert excluded(rules(avoided=avoided), [[4]], sentences=[1]) == [{0, 1, 7}]
    assert excluded(rules(avoided=avoided), [[], []], sentences=[0, 1]) == [{0, 1, 5}, {0, 1}]
    assert phrases_of([[], [[]]], device=CPU).tolist() == [[[NO_TOKEN]], [[NO_TOKEN]]]


def test_the_least_length_by_hand() -> None:
    least = rules(min_lengths=torch.tensor([3, 2]))
    assert excluded(least, [[4], [4]], sentences=[0, 1]) == [{0, 1, EOS}, {0, 1}]
    assert excluded(least, [[4, 4]], sentences=[0]) == [{0, 1}]


def test_a_prefix_by_hand() -> None:
    # It may hold what is forbidden, and what another rule excludes.
    forced = rules(prefix=prefixes_of([[1, 5], [], [5]], device=CPU), no_repeat_ngram=1)
    assert excluded(forced, [[], [], []], sentences=[0, 1, 2]) == [set(range(8)) - {1}, {0, 1}, set(range(8)) - {5}]
    assert excluded(forced, [[5], [5], [5]], sentences=[0, 1, 2]) == [set(range(8)) - {5}, {0, 1, 5}, {0, 1, 5}]
    assert excluded(forced, [[5, 6]], sentences=[0]) == [{0, 1, 5, 6}]


def repeats(ids: Sequence[int], size: int) -> bool:
    found = [tuple(ids[place : place + size]) for place in range(len(ids) - size + 1)]
    return len(set(found)) < len(found)


def contains(ids: Sequence[int], phrase: Sequence[int]) -> bool:
    return any(list(ids[place : place + len(phrase)]) == list(phrase) for place in range(len(ids)))


CASES: dict[str, tuple[dict[str, Any], Callable[[int, list[int]], bool]]] = {
    "no token twice": ({"no_repeat_ngram": 1}, lambda table, ids: not repeats(ids, 1)),
    "no pair twice": ({"no_repeat_ngram": 2}, lambda table, ids: not repeats(ids, 2)),
    "least lengths": ({"min_lengths": torch.tensor([3, 1, 4])}, lambda table, ids: len(ids) + 1 >= (3, 1, 4)[table]),
    "prefixes": (
        {"prefix": prefixes_of([[3, 3], [], [5]], device=CPU)},
        lambda table, ids: ids[: (2, 0, 1)[table]] == ([3, 3], [], [5])[table],
    ),
    "avoided": (
        {"avoided": phrases_of([[[3, 4], [5, 5]], [], [[4]]], device=CPU)},
        lambda table, ids: not any(contains(ids, phrase) for phrase in ([[3, 4], [5, 5]], [], [[4]])[table]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_beam_that_holds_everything_finds_the_best_that_obeys(toys: SimpleNamespace, name: str) -> None:
    options, obeys = CASES[name]
    model = toys.hashing(tables=3, vocab=6)
    found = beam_search(model, model.start([0, 1, 2]), model.request([5] * 3, beam=300, n_best=5, rules=options))
    for table, hypotheses in enumerate(found):
        every = toys.exhaustive(model, toys.Request(table, 5, 300, 10**6, 1.0))
        expected = [(ids, score) for ids, score in every if obeys(table, ids)][:5]
        assert [best.ids for best in hypotheses if best.finished] == [ids for ids, _ in expected]
        scores = [best.score for best in hypotheses if best.finished]
        assert scores == pytest.approx([score for _, score in expected], rel=1e-5)


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_company_and_compaction_change_nothing(
    toys: SimpleNamespace, name: str, beam: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, obeys = CASES[name]
    model = toys.hashing(tables=3, vocab=9, end=-0.5)
    limits = [4, 9, 14]

    def search(tables: Sequence[int]) -> Any:
        chosen = {key: value if isinstance(value, int) else value[list(tables)] for key, value in options.items()}
        request = model.request([limits[table] for table in tables], beam=beam, rules=chosen, with_attention=True)
        return beam_search(model, model.start(tables), request)

    together = search([0, 1, 2])
    for table, [best] in enumerate(together):
        assert obeys(table, best.ids) or not best.finished
    for share in (1, 10**6):
        monkeypatch.setattr(compaction, "_SHARE", share)
        for tables in ([0], [1], [2], [2, 0, 1]):
            for table, found in zip(tables, search(tables), strict=True):
                assert toys.same(found, together[table])


def test_a_prefix_keeps_its_probability(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=1, vocab=7)
    forced = {"prefix": prefixes_of([[4, 6, 4]], device=CPU)}
    for best in (
        greedy_search(model, model.start([0]), model.request([8], rules=forced))[0],
        beam_search(model, model.start([0]), model.request([8], beam=4, rules=forced))[0][0],
    ):
        assert best.ids[:3] == [4, 6, 4]
        assert best.token_log_probs == model.replay(0, best.ids, finished=best.finished)[0]


def test_only_the_end_is_left(toys: SimpleNamespace) -> None:
    # Three words, none of them twice: after the third the sentence ends, its limit far away.
    model = toys.hashing(tables=1, vocab=6, end=-30.0)
    request = model.request([50], rules={"no_repeat_ngram": 1})
    [best] = greedy_search(model, model.start([0]), request)
    assert sorted(best.ids) == [3, 4, 5]
    assert best.finished
