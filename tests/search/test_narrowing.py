"""A search over a part of the vocabulary against one over all of it, where the rest has the probability 0."""

from __future__ import annotations

from itertools import chain
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq.search import NarrowedModel, Narrowing, Phrases, beam_search, narrow_step, phrases_of, prefixes_of
from seq2seq.search.request import Request
from seq2seq.search.rules import Rules

PAD, BOS, EOS, VOCAB = 0, 1, 2, 12
LIMITS = [6, 5, 7]
CPU = torch.device("cpu")
ALLOWED = [{3, 4, 5, 6}, {4, 7, 8, 9}, {3, 9, 10}]


class Masked:
    """The slow twin: all of the vocabulary, with -inf for what a sentence may not use."""

    def __init__(self, model: Any, allowed: Tensor) -> None:
        self.model, self.allowed = model, allowed

    def step(self, tokens: Tensor, state: Any) -> Any:
        log_probs, following, attention = self.model.step(tokens, state)
        width = tokens.shape[0] // state.tables.shape[0]
        mask = self.allowed[state.tables].repeat_interleave(width, dim=0)
        return log_probs.masked_fill(~mask, -torch.inf).log_softmax(dim=1), following, attention


def mask() -> Tensor:
    allowed = torch.zeros(len(ALLOWED), VOCAB, dtype=torch.bool)
    for sentence, ids in enumerate(ALLOWED):
        allowed[sentence, [*ids, EOS]] = True
    return allowed


def request(beam: int, **rules: Any) -> Request:
    constraints = rules.pop("constraints", None)
    return Request(
        max_lengths=torch.tensor(LIMITS),
        bos_id=BOS,
        eos_id=EOS,
        beam=beam,
        n_best=beam,
        rules=Rules(forbidden=torch.tensor([PAD, BOS]), **rules),
        constraints=constraints,
        with_attention=True,
    )


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "shortest": {"min_lengths": torch.tensor([3, 3, 3])},
    "avoided": {"avoided": phrases_of([[[3, 4]], [[7], [11, 4]], []], device=CPU)},
    "prefix": {"prefix": prefixes_of([[5], [], [10, 3]], device=CPU)},
    "phrases": {"constraints": Phrases(phrases_of([[[6, 6]], [], [[10]]], device=CPU))},
}


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("case", CASES)
def test_what_is_found_is_what_a_search_over_everything_finds(toys: SimpleNamespace, case: str, beam: int) -> None:
    model = toys.hashing(tables=3, vocab=VOCAB)
    asked = request(beam, **CASES[case])
    expected = beam_search(Masked(model, mask()), model.start([0, 1, 2]), asked)
    narrowing = Narrowing.of(mask(), asked)
    narrowed = NarrowedModel(narrow_step(model, narrowing.ids), narrowing)
    state = narrowed.start(model.start([0, 1, 2]))
    found = narrowing.widened(beam_search(narrowed, state, narrowing.request(asked)))
    assert [[best.ids for best in each] for each in found] == [[best.ids for best in each] for each in expected]
    for one, other in zip(chain(*found), chain(*expected), strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-5)
        assert one.token_log_probs == pytest.approx(other.token_log_probs, abs=1e-5)
        assert torch.equal(one.attention, other.attention)


def test_tokens_that_are_asked_for_may_be_used(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=3, vocab=VOCAB)
    asked = request(3, prefix=prefixes_of([[11], [], []], device=CPU),
                    constraints=Phrases(phrases_of([[], [[10, 11]], []], device=CPU)))  # fmt: skip
    narrowing = Narrowing.of(mask(), asked)
    narrowed = NarrowedModel(narrow_step(model, narrowing.ids), narrowing)
    found = narrowing.widened(beam_search(narrowed, narrowed.start(model.start([0, 1, 2])), narrowing.request(asked)))
    assert all(best.ids[0] == 11 for best in found[0])
    assert any(best.ids[place : place + 2] == [10, 11] for best in found[1] for place in range(len(best.ids)))
    assert all(set(best.ids) <= ALLOWED[2] for best in found[2])


def test_parts_are_rounded_up_with_what_nobody_may_use() -> None:
    narrowing = Narrowing.of(mask(), request(1))
    assert narrowing.ids.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] + [EOS] * 54
    assert not narrowing.allowed[:, 10:].any()
    assert narrowing.places.tolist() == [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -1]
