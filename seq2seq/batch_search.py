"""A batch of sentences through the networks: ids -> batch -> encoder -> attention and decoder -> search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from seq2seq.data.batch import make_source
from seq2seq.device import activation_dtype
from seq2seq.errors import UsageError
from seq2seq.members import Member
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recording import CudaRecorder, Recorder
from seq2seq.search import Combination, Ensemble, EnsembleState, Hypothesis, RecordedSearch
from seq2seq.searching import Searching
from seq2seq.shortlist import Shortlist
from seq2seq.source_lines import Sentence
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation_options import TranslationOptions

#: Where searches are recorded, sources are padded up to a multiple of this, so that there are few shapes.
_LENGTH_MULTIPLE = 8


class BatchSearch:
    """The members of a translator, ready to search with: one network, or several as an ensemble.

    It holds no state of a call but recordings, which wait for each other: threads may share it.
    """

    def __init__(
        self,
        *,
        members: Sequence[Member],
        attending: Sequence[int],
        target_tokenizer: Tokenizer,
        device: torch.device,
        dtype: torch.dtype,
        combination: Combination,
        weights: Sequence[float] | None,
        prepared: bool,
        shortlist: Callable[[], Shortlist] | None,
        recorder: Recorder | None = None,
    ) -> None:
        """The members are in evaluation mode, on `device`.

        Args:
            members: one or more; the first one's pieces of the source are those that are counted.
            attending: places of those whose attention is averaged.
            target_tokenizer: of them all.
            device: where the networks are.
            dtype: of products with weights.
            combination: of their probabilities.
            weights: one for each member, None where all are equal.
            prepared: copy the networks into a form that is faster to search with, where they have one.
            shortlist: reads that of the first network.
            recorder: records the steps of searches; by default a GPU's does, with networks that are prepared.
        """
        self._members = tuple(members)
        self._attending = attending
        self._target_tokenizer = target_tokenizer
        self._device = device
        self._read_shortlist = shortlist
        self._loaded_shortlist: Shortlist | None = None
        self._ready = [member.ready(dtype=dtype, device=device) if prepared else member.model for member in members]
        self.ensemble = Ensemble(self._ready, combination=combination, weights=weights, attending=attending)
        self._dtype = activation_dtype(dtype, device)
        # Prepared networks see to their precision themselves.
        plain = any(isinstance(network, EncoderDecoder) for network in self._ready)
        self._autocasts = plain and self._dtype is not torch.float32
        if recorder is None and prepared and device.type == "cuda" and not self._autocasts:
            recorder = CudaRecorder(device)
        self._recorded: RecordedSearch[Any] | None = None
        if recorder is not None:
            self._recorded = RecordedSearch(self.ensemble if len(self._ready) > 1 else self._ready[0], recorder)

    @torch.no_grad()  # not inference_mode, under which autocast would cast every weight anew at every step
    def search(
        self, sentences: Sequence[Sentence], options: TranslationOptions, *, n_best: int = 1
    ) -> list[list[Hypothesis]]:
        """The hypotheses of every sentence, best first. Every sentence has a piece at least."""
        tokenizer = self._members[0].source_tokenizer
        ids = [sentence.ids for sentence in sentences]
        source, lengths = self._batch(make_source(ids, eos_id=tokenizer.eos_id, pad_id=tokenizer.pad_id), tokenizer)
        searching = Searching(
            options=options,
            tokenizer=self._target_tokenizer,
            n_best=n_best,
            with_attention=options.reads_words and bool(self._attending),
            device=self._device,
            recorded=self._recorded,
        )
        with torch.autocast(self._device.type, dtype=self._dtype, enabled=self._autocasts):
            state = self._ready[0].start(source, lengths)
            find = partial(
                searching.find,
                sentences=sentences,
                lengths=lengths - 1,
                attended_lengths=self._attended_lengths(sentences, lengths - 1, options),
                shortlist=self.shortlist().allowed(source, lengths) if options.shortlist else None,
            )
            if len(self._ready) == 1:
                return find(self._ready[0], state)
            others = []
            for network, member in zip(self._ready[1:], self._members[1:], strict=True):
                own = self._batch(member.source(sentences, device=self._device), member.source_tokenizer)
                others.append(network.start(*own))
            return find(self.ensemble, EnsembleState((state, *others)))

    def shortlist(self) -> Shortlist:
        """The shortlist of the first network, read when it is first asked for. Raises what reading it raises."""
        if self._loaded_shortlist is None:
            if self._read_shortlist is None:
                raise UsageError("this translator has no shortlist; load the model from its directory")
            self._loaded_shortlist = self._read_shortlist().to(self._device)
        return self._loaded_shortlist

    def _batch(self, made: tuple[Tensor, Tensor], tokenizer: Tokenizer) -> tuple[Tensor, Tensor]:
        """Source ids [batch, src_len] and lengths [batch] as they go to a network."""
        source, lengths = made
        if self._recorded is not None:
            source = functional.pad(source, (0, -source.shape[1] % _LENGTH_MULTIPLE), value=tokenizer.pad_id)
        return source.to(self._device), lengths.to(self._device)

    def _attended_lengths(self, sentences: Sequence[Sentence], lengths: Tensor, options: TranslationOptions) -> Tensor:
        """Pieces of every sentence, its end not counted, as attention sees them; `lengths` are the first network's."""
        if not options.coverage_penalty or not self._attending or 0 in self._attending:
            return lengths
        tokenizer = self._members[self._attending[0]].source_tokenizer
        counts = [len(ids) for ids in tokenizer.encode([sentence.text for sentence in sentences])]
        return torch.tensor(counts, device=self._device)
