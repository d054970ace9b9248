"""Models small enough to work out by hand, behind the protocol that search knows, and searches that try everything."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq import search
from seq2seq.search import Hypothesis
from seq2seq.search.request import excluding
from seq2seq.search.rules import Rules

PAD, BOS, EOS = 0, 1, 2
SLOTS = 97


@dataclass(frozen=True)
class ToyState:
    """Per sentence a table, a source length; per row a number that depends on every token before."""

    tables: Tensor
    lengths: Tensor
    memory: Tensor

    def reorder(self, rows: Tensor) -> ToyState:
        sentences = self.tables.shape[0]
        assert rows.dtype == torch.long
        assert rows.numel() % sentences == 0
        owner = rows // (self.memory.numel() // sentences)
        assert torch.equal(owner, torch.arange(sentences).repeat_interleave(rows.numel() // sentences))
        return ToyState(self.tables, self.lengths, self.memory[rows])

    def keep(self, sentences: Tensor) -> ToyState:
        memory = self.memory.view(self.tables.shape[0], -1)[sentences].flatten()
        return ToyState(self.tables[sentences], self.lengths[sentences], memory)


class ToyModel:
    """Looks the next token up by (sentence's table, memory of the row); counts what it is asked for."""

    def __init__(
        self, tables: Tensor, *, remember: Callable[[Tensor, Tensor], Tensor], source_lengths: Sequence[int]
    ) -> None:
        self.tables = tables  # [tables, memory, vocab]
        self.remember = remember
        self.source_lengths = torch.tensor(source_lengths)
        self.rows: list[int] = []

    def start(self, sentences: Sequence[int]) -> ToyState:
        """Return the state of a batch of these tables."""
        chosen = torch.tensor(sentences, dtype=torch.long)
        return ToyState(chosen, self.source_lengths[chosen], torch.zeros(len(sentences), dtype=torch.long))

    def request(self, limits: Sequence[int] | Tensor, **options: Any) -> search.Request:
        """See :func:`request`."""
        return request(limits, **options)

    def step(self, tokens: Tensor, state: ToyState) -> tuple[Tensor, ToyState, Tensor]:
        self.rows.append(tokens.numel())
        width = tokens.numel() // state.tables.numel()
        memory = self.remember(state.memory, tokens)
        table = state.tables.repeat_interleave(width)
        columns = torch.arange(int(state.lengths.max()))
        real = columns < state.lengths.repeat_interleave(width)[:, None]
        attention = (memory[:, None] + columns / 100.0) * real
        return self.tables[table, memory], ToyState(state.tables, state.lengths, memory), attention

    def replay(self, table: int, ids: Sequence[int], *, finished: bool) -> tuple[list[float], list[Tensor]]:
        """Score a given hypothesis alone: log-probabilities of its tokens, and attention weights."""
        log_probs, attention = [], []
        state = self.start([table])
        for previous, following in itertools.pairwise([BOS, *ids, *([EOS] if finished else [])]):
            scores, state, weights = self.step(torch.tensor([previous]), state)
            log_probs.append(float(scores[0, following]))
            attention.append(weights[0])
        return log_probs, attention


def _last_token(memory: Tensor, tokens: Tensor) -> Tensor:
    return tokens


def _whole_history(memory: Tensor, tokens: Tensor) -> Tensor:
    return (memory * 31 + tokens * 7 + 11) % SLOTS


def _normalised(logits: Tensor) -> Tensor:
    return logits.double().log_softmax(dim=-1).float()


def markov(probabilities: dict[int, dict[int, float]], *, vocab: int) -> ToyModel:
    """Return a model of one sentence with the given probabilities of a token after another, all others 0."""
    table = torch.zeros(1, vocab, vocab)
    for previous, following in probabilities.items():
        for token, probability in following.items():
            table[0, previous, token] = probability
    return ToyModel(table.log(), remember=_last_token, source_lengths=[1])


def hashing(*, tables: int, vocab: int, end: float = 0.0) -> ToyModel:
    """Return a model in which every token depends on all before it; ``end`` is added to the logit of an end."""
    grid = torch.arange(tables * SLOTS * vocab, dtype=torch.float64).view(tables, SLOTS, vocab)
    logits = 3.0 * torch.sin(grid * 12.9898 + torch.cos(grid * 78.233) * 43.7)
    logits[:, :, EOS] += end
    return ToyModel(_normalised(logits), remember=_whole_history, source_lengths=[2 + n % 5 for n in range(tables)])


def full_of_ties(*, tables: int, vocab: int) -> ToyModel:
    """Return a model whose log-probabilities are quarters from -2 to -1/4, so that sums are exact and often equal."""
    grid = torch.arange(tables * SLOTS * vocab).view(tables, SLOTS, vocab)
    quarters = 1 + (grid * grid * 7 + grid * 13 + grid // 5) % 8
    return ToyModel(-quarters / 4.0, remember=_whole_history, source_lengths=[3] * tables)


@dataclass(frozen=True)
class Request:
    """Everything that decides the result for one sentence."""

    table: int
    max_length: int
    beam: int
    n_best: int
    length_penalty: float
    forbidden: frozenset[int] = frozenset({PAD, BOS})


def exhaustive(model: ToyModel, request: Request) -> list[tuple[list[int], float]]:
    """Score everything that ends within the maximum length; the best ids with their scores."""
    words = [token for token in range(model.tables.shape[2]) if token not in request.forbidden and token != EOS]
    found = []
    for length in range(request.max_length):
        for ids in itertools.product(words, repeat=length):
            log_prob = math.fsum(model.replay(request.table, ids, finished=True)[0])
            found.append((list(ids), log_prob / (length + 1) ** request.length_penalty))
    return sorted(found, key=lambda pair: -pair[1])[: request.n_best]


def one_by_one(model: ToyModel, request: Request) -> list[tuple[list[int], float, bool]]:
    """Beam search over Python lists, one sentence, to the maximum length without stopping early."""
    live: list[tuple[list[int], float]] = [([], 0.0)]
    finished: list[tuple[list[int], float, bool]] = []
    for length in range(1, request.max_length + 1):
        candidates = []
        for parent, (ids, log_prob) in enumerate(live):
            state = model.start([request.table])
            for token in [BOS, *ids]:
                scores, state, _ = model.step(torch.tensor([token]), state)
            for token, more in enumerate(scores[0].tolist()):
                if token not in request.forbidden and more > -math.inf:
                    candidates.append((-(log_prob + more), parent, token))
        candidates.sort()
        live_after = []
        for rank, (cost, parent, token) in enumerate(candidates[: 2 * request.beam]):
            ids = live[parent][0]
            if token == EOS and rank < request.beam:
                finished.append((ids, -cost / length**request.length_penalty, True))
            elif token != EOS and len(live_after) < request.beam:
                live_after.append(([*ids, token], -cost))
        live = live_after
    finished.sort(key=lambda hypothesis: -hypothesis[1])
    cut_off = [(ids, log_prob / request.max_length**request.length_penalty, False) for ids, log_prob in live]
    return (finished + cut_off)[: request.n_best]


def request(
    limits: Sequence[int] | Tensor,
    *,
    length_penalty: float = 1.0,
    forbidden_ids: Sequence[int] = (PAD,),
    **options: Any,
) -> search.Request:
    """A request for sentences of these maximum lengths; ``rules`` are the keywords of some more."""
    rules = Rules(
        forbidden=excluding(forbidden_ids, bos_id=BOS, eos_id=EOS, device=torch.device("cpu")),
        **options.pop("rules", {}),
    )
    options.setdefault("scoring", search.Scoring(length_penalty=length_penalty))
    lengths = limits if isinstance(limits, Tensor) else torch.tensor(limits, dtype=torch.long)
    return search.Request(max_lengths=lengths, bos_id=BOS, eos_id=EOS, rules=rules, **options)


def same(left: Sequence[Hypothesis], right: Sequence[Hypothesis]) -> bool:
    """Whether two results agree to the last bit, attention included (columns of padding aside)."""
    if list(left) != list(right):
        return False
    for one, other in zip(left, right, strict=True):
        if one.attention is None or other.attention is None:
            return one.attention is other.attention
        width = min(one.attention.shape[1], other.attention.shape[1])
        if not torch.equal(one.attention[:, :width], other.attention[:, :width]):
            return False
        if one.attention[:, width:].any() or other.attention[:, width:].any():
            return False
    return True


@pytest.fixture(scope="session")
def toys() -> SimpleNamespace:
    """The models and slow twins of this file, and the ids of the special tokens."""
    return SimpleNamespace(
        PAD=PAD, BOS=BOS, EOS=EOS, Request=Request, markov=markov, hashing=hashing, full_of_ties=full_of_ties,
        exhaustive=exhaustive, one_by_one=one_by_one, same=same,
        request=request,
    )  # fmt: skip
