"""From options and sentences to hypotheses: the search that a translator asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seq2seq.search import (
    Diversity,
    Draws,
    Hypothesis,
    Narrowable,
    NarrowedModel,
    Narrowing,
    Phrases,
    RecordedSearch,
    Request,
    Rules,
    Scoring,
    StepModel,
    Truncation,
    beam_search,
    can_record,
    excluding,
    narrow_step,
    phrases_of,
    prefixes_of,
    sample,
)
from seq2seq.search.protocol import State
from seq2seq.source_lines import Sentence
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation_options import TranslationOptions

#: Parts of a line that draw different samples.
_MOST_PARTS = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Searching:
    """How the sentences of a batch are searched.

    Attributes:
        options: the method, its limits and scores.
        tokenizer: of the target language.
        n_best: hypotheses wanted of every sentence.
        with_attention: whether hypotheses carry attention weights.
        device: where the model is.
        recorded: searches of the model by recordings, for requests that can be.
    """

    options: TranslationOptions
    tokenizer: Tokenizer
    n_best: int
    with_attention: bool
    device: torch.device
    recorded: RecordedSearch[Any] | None = None

    def find(
        self,
        model: StepModel[State],
        state: State,
        sentences: Sequence[Sentence],
        *,
        lengths: Tensor,
        attended_lengths: Tensor,
        shortlist: Tensor | None = None,
    ) -> list[list[Hypothesis]]:
        """The hypotheses of every sentence, one at least: best first, but samples in the order of drawing.

        Args:
            model: one network or an ensemble.
            state: before the first step, one row per sentence.
            sentences: what is translated.
            lengths: LongTensor [sentences], pieces of each without its end.
            attended_lengths: the same, of the pieces that attention weights are for.
            shortlist: bool [sentences, vocab], which pieces a sentence may be translated with; it is changed.
        """
        request = self._request(sentences, lengths, attended_lengths)
        if shortlist is None:
            if self.recorded is not None and self.options.method == "beam" and can_record(request):
                return self.recorded.find(state, request)
            return self._search(model, state, request, sentences)
        narrowing = Narrowing.of(shortlist, request)
        step = model.narrowed(narrowing.ids) if isinstance(model, Narrowable) else narrow_step(model, narrowing.ids)
        narrowed = NarrowedModel(step, narrowing)
        found = self._search(narrowed, narrowed.start(state), narrowing.request(request), sentences)
        return narrowing.widened(found)

    def _search(
        self, model: StepModel[State], state: State, request: Request, sentences: Sequence[Sentence]
    ) -> list[list[Hypothesis]]:
        options = self.options
        if options.method == "beam":
            return beam_search(model, state, request)
        keys = [line * _MOST_PARTS + part for line, part in (sentence.place for sentence in sentences)]
        draws = Draws(seed=options.seed, keys=torch.tensor(keys, device=self.device))
        truncation = Truncation(
            temperature=options.temperature, top_k=options.top_k, top_p=options.top_p, epsilon=options.epsilon
        )
        return sample(model, state, request, draws=draws, truncation=truncation)

    def _request(self, sentences: Sequence[Sentence], lengths: Tensor, attended_lengths: Tensor) -> Request:
        options, tokenizer, device = self.options, self.tokenizer, self.device
        demands = [sentence.demands for sentence in sentences]
        include = (
            phrases_of([each.include for each in demands], device=device) if any(d.include for d in demands) else None
        )
        never = (tokenizer.pad_id, tokenizer.unk_id)
        beam, n_best = {
            "beam": (options.beam, self.n_best),
            "sampling": (self.n_best, self.n_best),
            "mbr": (options.samples, options.samples),
        }[options.method]
        groups = options.diversity_groups if options.method == "beam" else 1
        return Request(
            max_lengths=self._max_lengths(sentences, lengths),
            bos_id=tokenizer.bos_id,
            eos_id=tokenizer.eos_id,
            rules=Rules(
                forbidden=excluding(never, bos_id=tokenizer.bos_id, eos_id=tokenizer.eos_id, device=device),
                min_lengths=self._min_lengths(lengths),
                no_repeat_ngram=options.no_repeat_ngram,
                prefix=prefixes_of([each.prefix for each in demands], device=device)
                if any(d.prefix for d in demands)
                else None,
                avoided=phrases_of([each.avoid for each in demands], device=device)
                if any(d.avoid for d in demands)
                else None,
            ),
            beam=beam,
            n_best=n_best,
            scoring=scoring_of(options),
            diversity=None if groups == 1 else Diversity(groups=groups, strength=options.diversity_strength),
            constraints=None if include is None else Phrases(include),
            source_lengths=attended_lengths,
            with_attention=self.with_attention,
        )

    def _max_lengths(self, sentences: Sequence[Sentence], lengths: Tensor) -> Tensor:
        """Pieces of a translation at most, its end counted; what it must contain has room in any case."""
        options = self.options
        limits = (lengths * options.max_length_ratio).long() + options.max_length_offset
        if options.max_length is not None:
            limits = limits.clamp(max=options.max_length + 1)
        asked = [len(s.demands.prefix) + sum(map(len, s.demands.include)) for s in sentences]
        return limits + torch.tensor(asked, device=self.device)

    def _min_lengths(self, lengths: Tensor) -> Tensor | None:
        """The same at least; None where there is no such limit."""
        options = self.options
        if not (options.min_length or options.min_length_ratio):
            return None
        return (lengths * options.min_length_ratio).ceil().long().clamp(min=options.min_length) + 1


def scoring_of(options: TranslationOptions) -> Scoring:
    """How the options compare hypotheses."""
    return Scoring(
        length_penalty=options.length_penalty,
        normalization=options.normalization,
        word_penalty=options.word_penalty,
        coverage_penalty=options.coverage_penalty,
        stopping=options.stopping,
    )
