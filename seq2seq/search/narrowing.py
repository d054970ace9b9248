"""A search over a part of the vocabulary: what only some tokens may be, only those need be scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeAlias, runtime_checkable

import torch
from torch import Tensor

from seq2seq.search.hypothesis import Hypothesis
from seq2seq.search.protocol import State, StepModel
from seq2seq.search.request import Request

#: Of tokens [rows] and a state: scores [rows, narrow] of the part, log-probabilities but for a constant of each row;
#: the next state; the attention weights, or None.
NarrowStep: TypeAlias = "Callable[[Tensor, State], tuple[Tensor, State, Tensor | None]]"

#: Sizes that the part is rounded up to, so that products of few different shapes occur.
_MULTIPLE = 64


@runtime_checkable
class Narrowable(Protocol[State]):
    """A model that has a faster way to score a part of its vocabulary than to score all of it."""

    def narrowed(self, ids: Tensor) -> NarrowStep[State]:
        """The steps of the part `ids`, a LongTensor [narrow]."""
        ...


@dataclass(frozen=True)
class Narrowing:
    """The part of the vocabulary that the sentences of a batch need together.

    Attributes:
        ids: LongTensor [narrow], the tokens, ascending, and behind them some that no sentence may use.
        allowed: bool [sentences, narrow], which of them a sentence may use.
        places: LongTensor [vocab + 1], where a token is among `ids`, -1 where it is not, as behind the last.
    """

    ids: Tensor
    allowed: Tensor
    places: Tensor

    @classmethod
    def of(cls, allowed: Tensor, request: Request) -> Narrowing:
        """Of `allowed`, bool [sentences, vocab], which is changed: what `request` asks for by name comes to it."""
        vocab = allowed.shape[1]
        named = [torch.tensor([request.bos_id, request.eos_id], device=allowed.device)]
        if request.rules.avoided is not None:
            named.append(request.rules.avoided.flatten())
        for asked in (request.rules.prefix, None if request.constraints is None else request.constraints.tokens):
            if asked is not None:
                real = asked.flatten(1).clamp(min=0)
                allowed.scatter_(1, torch.where(asked.flatten(1) < 0, request.eos_id, real), True)
        allowed[:, request.eos_id] = True
        used = allowed.any(dim=0)
        for ids in named:
            used[ids[ids >= 0]] = True
        ids = used.nonzero().squeeze(1)
        places = torch.full((vocab + 1,), -1, dtype=torch.long, device=ids.device)
        places[ids] = torch.arange(ids.shape[0], device=ids.device)
        unused = -ids.shape[0] % _MULTIPLE
        chosen = torch.nn.functional.pad(allowed[:, ids], (0, unused))
        return cls(torch.nn.functional.pad(ids, (0, unused), value=request.eos_id), chosen, places)

    def request(self, request: Request) -> Request:
        """The same request, in places of the part."""
        rules = request.rules
        forbidden = self.places[rules.forbidden]

        def placed(ids: Tensor | None) -> Tensor | None:
            return None if ids is None else self.places[ids]

        constraints = request.constraints
        return replace(
            request,
            bos_id=int(self.places[request.bos_id]),
            eos_id=int(self.places[request.eos_id]),
            rules=replace(
                rules,
                forbidden=forbidden[forbidden >= 0],
                prefix=placed(rules.prefix),
                avoided=placed(rules.avoided),
            ),
            constraints=None if constraints is None else replace(constraints, tokens=self.places[constraints.tokens]),
        )

    def widened(self, found: Sequence[Sequence[Hypothesis]]) -> list[list[Hypothesis]]:
        """Hypotheses in places of the part as hypotheses in tokens."""
        ids = self.ids.tolist()
        return [[replace(best, ids=[ids[place] for place in best.ids]) for best in hypotheses] for hypotheses in found]


@dataclass(frozen=True)
class NarrowedState(Generic[State]):
    """A model's state, and what is added to the scores of every sentence, [sentences, 1, narrow]."""

    inner: State
    added: Tensor

    def reorder(self, rows: Tensor) -> NarrowedState[State]:
        """See :class:`~seq2seq.search.protocol.SearchState`."""
        return NarrowedState(self.inner.reorder(rows), self.added)

    def keep(self, sentences: Tensor) -> NarrowedState[State]:
        """See :class:`~seq2seq.search.protocol.SearchState`."""
        return NarrowedState(self.inner.keep(sentences), self.added.index_select(0, sentences))


class NarrowedModel(Generic[State]):
    """A model over a part of its vocabulary, a :class:`~seq2seq.search.protocol.StepModel` in places of that part.

    Its probabilities are the model's, made to sum to 1 over what a sentence may use.
    """

    def __init__(self, step: NarrowStep[State], narrowing: Narrowing) -> None:
        """`step` is :func:`narrow_step` of a model, or its own faster form of it."""
        self._step = step
        self._ids = narrowing.ids
        self._allowed = narrowing.allowed

    def start(self, state: State) -> NarrowedState[State]:
        """The state before the first step, from the model's."""
        added = torch.zeros(self._allowed.shape, device=self._allowed.device).masked_fill_(~self._allowed, -torch.inf)
        return NarrowedState(state, added.unsqueeze(1))

    def step(self, tokens: Tensor, state: NarrowedState[State]) -> tuple[Tensor, NarrowedState[State], Tensor | None]:
        """See :class:`~seq2seq.search.protocol.StepModel`."""
        scores, inner, attention = self._step(self._ids.index_select(0, tokens), state.inner)
        grouped = scores.float().view(state.added.shape[0], -1, scores.shape[1])  # [sentences, beam, narrow]
        log_probs = (grouped + state.added).log_softmax(dim=-1)
        return log_probs.flatten(0, 1), NarrowedState(inner, state.added), attention


def narrow_step(model: StepModel[State], ids: Tensor) -> NarrowStep[State]:
    """The steps of any model, of whose log-probabilities those of `ids` are taken."""

    def step(tokens: Tensor, state: State) -> tuple[Tensor, State, Tensor | None]:
        log_probs, following, attention = model.step(tokens, state)
        return log_probs.index_select(1, ids), following, attention

    return step
