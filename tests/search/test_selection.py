"""The best continuations against Python's own sort, above all where entries are equal."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seq2seq.search import selection
from seq2seq.search.selection import best_continuations


@pytest.fixture(autouse=True, params=["few", "many", "equal", "other device"])
def _every_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test in all ways: of few entries and of many, those for equal ones, and where the host would wait."""
    monkeypatch.setattr(selection, "looking_waits", lambda device: request.param == "other device")
    monkeypatch.setattr(selection, "_FEW", {"few": 1 << 30, "many": 0}.get(request.param, selection._FEW))
    if request.param == "equal":
        monkeypatch.setattr(selection, "_by_value", lambda log_probs, live, count: None)


def numbers(rows: int, vocab: int, *, distinct: int) -> Tensor:
    """Return log-probabilities by a formula, with about ``distinct`` different values."""
    grid = torch.arange(rows * vocab, dtype=torch.float64)
    return -((torch.sin(grid * 12.9898) * 43758.5453).abs().frac() * distinct).floor().view(rows, vocab).float() / 64.0


def by_sorting(log_probs: Tensor, live: Tensor, count: int) -> list[list[tuple[float, int, int]]]:
    """Sort all continuations of every sentence as Python sorts tuples."""
    active, width = live.shape
    result = []
    for sentence in range(active):
        entries = []
        for parent in range(width):
            so_far = live[sentence, parent].item()
            if so_far > -math.inf:
                row = (log_probs[sentence * width + parent] + so_far).tolist()
                entries += [(-value, parent, token) for token, value in enumerate(row)]
        entries.sort()
        result.append([(-cost, parent, token) for cost, parent, token in entries[:count]])
    return result


def as_tuples(log_probs: Tensor, live: Tensor, count: int) -> list[list[tuple[float, int, int]]]:
    best = best_continuations(log_probs, live, count)
    width = live.shape[1]
    rows = torch.arange(live.shape[0])[:, None] * width + best.parents
    real = best.log_probs > -torch.inf
    assert torch.equal(best.token_log_probs[real], log_probs[rows, best.tokens][real])
    return [
        [entry for entry in zip(values, parents, tokens, strict=True) if entry[0] > -math.inf]
        for values, parents, tokens in zip(
            best.log_probs.tolist(), best.parents.tolist(), best.tokens.tolist(), strict=True
        )
    ]


@pytest.mark.parametrize("distinct", [3, 40, 1 << 22])
@pytest.mark.parametrize("vocab", [1, 7, 500, 2048, 2300])
@pytest.mark.parametrize("width", [1, 3])
def test_agrees_with_sorting(vocab: int, width: int, distinct: int) -> None:
    log_probs = numbers(4 * width, vocab, distinct=distinct)
    live = numbers(4, width, distinct=8) - 1.0
    for count in (1, 2, 10):
        assert as_tuples(log_probs, live, count) == by_sorting(log_probs, live, count)


def test_first_and_last_columns_of_a_large_vocabulary() -> None:
    log_probs, live = numbers(10, 8001, distinct=1 << 16), numbers(2, 5, distinct=1 << 16)
    log_probs[:, [0, 255, 7936, 8000]] += 900.0
    found = as_tuples(log_probs, live, 11)
    assert found == by_sorting(log_probs, live, 11)
    assert {0, 255, 7936, 8000} <= {token for row in found for _, _, token in row}


def test_everything_is_equal() -> None:
    best = best_continuations(torch.full((4, 3000), -1.0), torch.zeros(2, 2), 5)
    assert best.tokens.tolist() == [[0, 1, 2, 3, 4]] * 2
    assert best.parents.tolist() == [[0] * 5] * 2


def test_only_a_few_are_possible() -> None:
    log_probs = torch.full((2, 3000), -torch.inf)
    log_probs[0, [2999, 17]] = torch.tensor([-1.0, -2.0])
    log_probs[1, 2048] = -1.5
    found = as_tuples(log_probs, torch.tensor([[0.0, 0.0]]), 6)
    assert found == [[(-1.0, 0, 2999), (-1.5, 1, 2048), (-2.0, 0, 17)]]


def test_zero_and_minus_zero_are_equal() -> None:
    log_probs = torch.tensor([[-0.0, 0.0, -1.0, 0.0, -0.0]])
    assert best_continuations(log_probs, torch.tensor([[-0.0]]), 3).tokens.tolist() == [[0, 1, 3]]


@pytest.mark.parametrize("vocab", [5, 2500])
def test_what_the_model_says_of_dead_hypotheses_is_not_heard(vocab: int) -> None:
    log_probs = numbers(2, vocab, distinct=50)
    log_probs[1] = torch.nan
    best = best_continuations(log_probs, torch.tensor([[-1.0, -torch.inf]]), 4)
    assert best.parents[best.log_probs > -torch.inf].tolist() == [0, 0, 0, 0]
    nothing = best_continuations(torch.full_like(log_probs, torch.nan), torch.full((1, 2), -torch.inf), 4)
    assert (nothing.log_probs == -torch.inf).all()


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("vocab", "place"), [(5, 3), (2500, 3), (2500, 2499)])
def test_nan_comes_first(vocab: int, place: int, sign: float) -> None:
    log_probs = numbers(2, vocab, distinct=4)
    log_probs[1, place] = math.copysign(math.nan, sign)
    live = torch.zeros(1, 2)
    best = best_continuations(log_probs, live, 2)
    assert (best.parents[0, 0].item(), best.tokens[0, 0].item()) == (1, place)
    assert best.log_probs[0].isnan().tolist() == [True, False]


def test_more_is_asked_for_than_there_is() -> None:
    best = best_continuations(torch.tensor([[-1.0, -0.5]]), torch.tensor([[-1.0]]), 4)
    assert best.log_probs.tolist() == [[-1.5, -2.0, -math.inf, -math.inf]]
    assert best.tokens.tolist()[0][:2] == [1, 0]


def test_rows_with_gaps_between_them_are_read_right() -> None:
    wide = numbers(6, 40, distinct=1 << 20)
    live = numbers(2, 3, distinct=8)
    assert as_tuples(wide[:, :33], live, 5) == by_sorting(wide[:, :33], live, 5)
