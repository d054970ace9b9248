"""What happened at every step of a search, and the hypotheses read from it backwards."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from seq2seq.errors import ModelError
from seq2seq.search.hypothesis import Hypothesis


@dataclass(frozen=True)
class Endings:
    """Where hypotheses end: all tensors are [sentences, n_best], best first; empty places have log-probability -inf."""

    scores: Tensor
    log_probs: Tensor
    lengths: Tensor
    """Tokens without the end of sentence."""
    slots: Tensor
    """Place among the sentence's live hypotheses after the last of these tokens."""
    finished: Tensor
    """Bool: whether an end of sentence follows."""

    @classmethod
    def none(cls, *, sentences: int, n_best: int, device: torch.device) -> Endings:
        """Return nothing but empty places."""
        nowhere = torch.zeros(sentences, n_best, dtype=torch.long, device=device)
        impossible = torch.full((sentences, n_best), -torch.inf, device=device)
        return cls(impossible, impossible, nowhere, nowhere, torch.zeros_like(nowhere, dtype=torch.bool))

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Return the fields in order."""
        return self.scores, self.log_probs, self.lengths, self.slots, self.finished

    def join(self, other: Endings) -> Endings:
        """Put the places of ``other`` behind these."""
        return Endings(*(torch.cat(pair, dim=1) for pair in zip(self.tensors(), other.tensors(), strict=True)))

    def gather(self, places: Tensor) -> Endings:
        """Choose places of every sentence; ``places`` is [sentences, chosen]."""
        return Endings(*(tensor.gather(1, places) for tensor in self.tensors()))

    def select(self, sentences: Tensor) -> Endings:
        """Choose sentences; ``sentences`` is [chosen]."""
        return Endings(*(tensor.index_select(0, sentences) for tensor in self.tensors()))

    def replace(self, sentences: Tensor, other: Endings) -> Endings:
        """Put ``other`` in the place of ``sentences`` [chosen]."""
        pairs = zip(self.tensors(), other.tensors(), strict=True)
        return Endings(*(mine.index_copy(0, sentences, theirs) for mine, theirs in pairs))

    def where(self, condition: Tensor, other: Endings) -> Endings:
        """Take the places of ``other`` where ``condition`` is true."""
        pairs = zip(self.tensors(), other.tensors(), strict=True)
        return Endings(*(torch.where(condition, theirs, mine) for mine, theirs in pairs))

    def best_first(self, count: int) -> Endings:
        """Return the ``count`` best places by score; of equal ones the first."""
        places = self.scores.sort(dim=1, descending=True, stable=True).indices[:, :count]
        return self.gather(places)

    def filled_first(self, count: int) -> Endings:
        """Return the first ``count`` places, in their order, that are not empty; but NaN, which must show, first."""
        rank = (self.log_probs == -torch.inf).int() - self.log_probs.isnan().int()
        return self.gather(rank.sort(dim=1, stable=True).indices[:, :count])


@dataclass(frozen=True)
class Step:
    """One step of a search; ``width`` is the rows per sentence that the model read, ``beam`` those that followed."""

    sentences: Tensor
    """The sentences that took part, [active]."""
    tokens: Tensor
    """Token appended in every slot, [active, beam]."""
    parents: Tensor
    """Slot of the step before (the row of this step) that it was appended to, [active, beam]."""
    log_probs: Tensor
    """Log-probability of these tokens alone, [active, beam]."""
    end_log_probs: Tensor
    """Log-probability of an end of sentence at every row, [active, width]."""
    attention: Tensor | None
    """Attention weights of every row, [active, width, src_len]."""


#: Tokens, log-probabilities and attention weights of all hypotheses.
_Unrolled: TypeAlias = "tuple[list[list[list[int]]], list[list[list[float]]], Tensor | None]"


class History:
    """The steps of one search; hypotheses are unrolled from them once, at the end."""

    def __init__(self, *, sentences: int, with_attention: bool) -> None:
        self._sentences = sentences
        self._with_attention = with_attention
        self._steps: list[Step] = []

    def append(
        self, *, sentences: Tensor, tokens: Tensor, parents: Tensor, log_probs: Tensor, end_log_probs: Tensor,
        attention: Tensor | None,
    ) -> None:  # fmt: skip
        """Remember a step; the arguments are the fields of :class:`Step`, ``attention`` still as [rows, src_len]."""
        if not self._with_attention:
            attention = None
        elif attention is not None:
            attention = attention.view(*end_log_probs.shape, -1)
        self._steps.append(Step(sentences, tokens, parents, log_probs, end_log_probs, attention))

    def hypotheses(self, endings: Endings) -> list[list[Hypothesis]]:
        """Follow the back-pointers from ``endings`` and return the hypotheses of every sentence, in the same order.

        Empty places are left out. Raises ModelError where a log-probability is NaN, or a sentence has no hypothesis
        because all continuations are impossible: both mean that the model is broken.
        """
        # For the CPU numbers are quickly fetched and operators slow to start; elsewhere it is the other way round.
        unroll = self._unroll_by_sentence if endings.slots.device.type == "cpu" else self._unroll
        tokens, token_log_probs, attention = unroll(endings)
        scores, log_probs, lengths, _, finished = (tensor.tolist() for tensor in endings.tensors())
        results: list[list[Hypothesis]] = []
        for sentence in range(self._sentences):
            best: list[Hypothesis] = []
            for place, log_prob in enumerate(log_probs[sentence]):
                if log_prob == -torch.inf:
                    continue
                length, ended = lengths[sentence][place], finished[sentence][place]
                count = length + ended
                best.append(
                    Hypothesis(
                        ids=tokens[sentence][place][:length],
                        log_prob=log_prob,
                        score=scores[sentence][place],
                        finished=ended,
                        token_log_probs=token_log_probs[sentence][place][:count],
                        attention=None if attention is None else attention[sentence, place, :count].clone(),
                    )
                )
            if not best:
                raise broken_model("gives every continuation of a sentence the probability 0")
            if any(math.isnan(hypothesis.log_prob) for hypothesis in best):
                raise broken_model("gives log-probabilities that are not numbers (NaN)")
            results.append(best)
        return results

    def _unroll_by_sentence(self, endings: Endings) -> _Unrolled:
        """As :meth:`_unroll`, hypothesis by hypothesis."""
        steps = [
            (step.tokens.tolist(), step.parents.tolist(), step.log_probs.tolist(), step.end_log_probs.tolist())
            for step in self._steps
        ]
        places = self._places()
        rows = numpy.zeros((*endings.lengths.shape, len(steps)), dtype=numpy.int64)  # of the attention's weights
        tokens: list[list[list[int]]] = []
        log_probs: list[list[list[float]]] = []
        for sentence, (lengths, slots) in enumerate(zip(endings.lengths.tolist(), endings.slots.tolist(), strict=True)):
            tokens.append([[0] * len(steps) for _ in lengths])
            log_probs.append([[0.0] * len(steps) for _ in lengths])
            for place, (length, slot) in enumerate(zip(lengths, slots, strict=True)):
                if length < len(steps) and sentence in places[length]:
                    log_probs[sentence][place][length] = steps[length][3][places[length][sentence]][slot]
                    rows[sentence, place, length] = slot
                for time in range(length - 1, -1, -1):
                    where = places[time][sentence]
                    appended, parents, token_log_probs, _ = steps[time]
                    tokens[sentence][place][time] = appended[where][slot]
                    log_probs[sentence][place][time] = token_log_probs[where][slot]
                    slot = parents[where][slot]
                    rows[sentence, place, time] = slot
        return tokens, log_probs, self._attention_of(rows)

    def _places(self) -> list[dict[int, int]]:
        """Of every step where the sentences that took part stand in it."""
        places: list[dict[int, int]] = []
        last: Tensor | None = None
        for step in self._steps:
            if step.sentences is not last:
                places.append({sentence: place for place, sentence in enumerate(step.sentences.tolist())})
            else:
                places.append(places[-1])
            last = step.sentences
        return places

    def _attention_of(self, rows: NDArray[numpy.int64]) -> Tensor | None:
        """The attention weights [sentences, n_best, steps, src_len] of `rows` [sentences, n_best, steps]."""
        first = self._steps[0].attention
        if first is None:
            return None
        weights = numpy.zeros((*rows.shape, first.shape[2]), dtype=numpy.float32)
        for time, step in enumerate(self._steps):
            if step.attention is not None:
                found, sentences = step.attention.float().numpy(), step.sentences.numpy()
                chosen = found[numpy.arange(len(sentences))[:, None], rows[sentences, :, time]]
                weights[:, :, time, : found.shape[2]][sentences] = chosen
        return torch.from_numpy(weights)

    def _unroll(self, endings: Endings) -> _Unrolled:
        """Return tokens and their log-probabilities [sentences, n_best, steps] as lists, attention [..., src_len].

        What is behind a hypothesis, or in an empty place, means nothing.
        """
        lengths, slots = endings.lengths, endings.slots
        shape = (len(self._steps), *lengths.shape)  # [steps, sentences, n_best]
        tokens = lengths.new_zeros(shape)
        log_probs = endings.log_probs.new_zeros(shape)
        first = self._steps[0].attention
        attention = None if first is None else first.new_zeros(*shape, first.shape[2])
        for time in range(len(self._steps) - 1, -1, -1):
            step = self._steps[time]
            inside = time < lengths.index_select(0, step.sentences)  # [active, n_best]
            slot = slots.index_select(0, step.sentences)
            # At its end of sentence a hypothesis is still in the slot that it ends in; before, the pointers lead back.
            # Where neither holds (empty places, and steps after the end) what is gathered is not read.
            row = torch.where(inside, step.parents.gather(1, slot), slot)
            slots = slots.index_copy(0, step.sentences, row)
            tokens[time].index_copy_(0, step.sentences, step.tokens.gather(1, slot))
            of_row = row.clamp(max=step.end_log_probs.shape[1] - 1)
            log_prob = torch.where(inside, step.log_probs.gather(1, slot), step.end_log_probs.gather(1, of_row))
            log_probs[time].index_copy_(0, step.sentences, log_prob)
            if attention is not None and step.attention is not None:
                src_len = step.attention.shape[2]
                # [active, n_best, src_len]
                weights = step.attention.gather(1, of_row[:, :, None].expand(-1, -1, src_len))
                attention[time, :, :, :src_len].index_copy_(0, step.sentences, weights)
        return (
            tokens.permute(1, 2, 0).tolist(),
            log_probs.permute(1, 2, 0).tolist(),
            None if attention is None else attention.permute(1, 2, 0, 3).float().cpu(),
        )


def broken_model(symptom: str) -> ModelError:
    """The error of a model that has nothing to say."""
    return ModelError(f"the model {symptom}: its weights are damaged or its training diverged; use an earlier model")
