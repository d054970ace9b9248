"""Beam search: a recipe's network with drawn weights translates synthetic ids into sentences of given lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy
import torch
from torch import Tensor

from seq2seq.build import build_model
from seq2seq.data.batch import make_source
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model.prepared import prepare
from seq2seq.model.state import DecodingState
from seq2seq.recipe import Recipe
from seq2seq.recording import CudaRecorder
from seq2seq.search import Hypothesis, RecordedSearch, Request, Rules, beam_search
from tools.benchmark_gpu.timing import Case, Work
from tools.benchmark_training.flops import PASSES, FlopCount
from tools.benchmark_training.material import Lengths

_NAMES = {torch.float16: "fp16", torch.bfloat16: "bf16", torch.float32: "fp32"}
_PAD, _UNKNOWN, _BOS, _EOS = range(4)
#: Sources are padded up to a multiple of this, as a translator pads them for recordings.
_LENGTH_MULTIPLE = 8
#: How a search is made: step by step with the network under autocast, with the prepared one, and by recordings.
WAYS = ("network", "prepared", "CUDA graphs")


@dataclass(frozen=True)
class _Sentences:
    """A batch: source ids [sentences, src_len], their lengths, and those of the translations, ends counted."""

    source: Tensor
    lengths: Tensor
    target_lengths: Tensor


class SearchBench:
    """A recipe's network on a device, made once for all ways and sizes.

    A sentence's translation is as long as the corpus's lengths say: an end is ruled out before, and there it is cut
    off. So weights need not be trained, and every way has the same number of steps and tokens.
    """

    def __init__(self, name: str, recipe: Recipe, device: torch.device, lengths: Lengths, *, beam: int) -> None:
        section = recipe.tokenizer
        self._vocabularies = (section.vocabulary_size, section.target_vocabulary_size or section.vocabulary_size)
        self._name = name
        self._recipe = recipe
        self._device = device
        self._lengths = lengths
        self._beam = beam
        self._flops = FlopCount(recipe.model, vocabularies=self._vocabularies)
        self._network: EncoderDecoder | None = None

    def cases(self, dtypes: Sequence[torch.dtype], *, sentences: int, batches: int) -> list[Case]:
        """Every way and precision on the same batches of so many sentences."""
        return [
            Case(
                table=f"{self._name}, beam {self._beam}",
                labels={"precision": _NAMES[dtype], "way": way, "batch": f"{sentences} sentences"},
                dtype=dtype,
                prepare=partial(self._work, way, dtype, sentences=sentences, batches=batches),
                unit="target tokens/s",
            )
            for dtype in dtypes
            for way in WAYS
        ]

    def _work(self, way: str, dtype: torch.dtype, *, sentences: int, batches: int) -> Work:
        drawn = self._batches(sentences, batches)
        search = self._search(way, dtype)
        return Work(
            steps=[partial(search, batch) for batch in drawn],
            tokens=[int(batch.target_lengths.sum()) for batch in drawn],
            flops=[self._operations(batch) for batch in drawn],
        )

    def _search(self, way: str, dtype: torch.dtype) -> Callable[[_Sentences], list[list[Hypothesis]]]:
        network = self._model()
        model: Any = network if way == "network" else prepare(network, dtype=dtype)
        autocasts = way == "network" and dtype is not torch.float32
        if model is None:
            raise RuntimeError("this network has no prepared form")
        recorded = RecordedSearch(model, CudaRecorder(self._device)) if way == "CUDA graphs" else None

        @torch.no_grad()
        def search(batch: _Sentences) -> list[list[Hypothesis]]:
            request = self._request(batch)
            with torch.autocast(self._device.type, dtype=dtype, enabled=autocasts):
                state: DecodingState = model.start(batch.source, batch.lengths)
                return beam_search(model, state, request) if recorded is None else recorded.find(state, request)

        return search

    def _request(self, batch: _Sentences) -> Request:
        never = torch.tensor([_PAD, _UNKNOWN, _BOS], device=self._device)
        return Request(
            max_lengths=batch.target_lengths,
            bos_id=_BOS,
            eos_id=_EOS,
            rules=Rules(forbidden=never, min_lengths=batch.target_lengths),
            beam=self._beam,
        )

    def _batches(self, sentences: int, number: int) -> list[_Sentences]:
        """Batches of sentences of like lengths: neighbours of a sorted text."""
        generator = numpy.random.default_rng(1)
        source, target = self._lengths.draw(sentences * number, generator)
        order = numpy.argsort(source, kind="stable").reshape(number, sentences)
        batches = []
        for places in order:
            ids = [generator.integers(_EOS + 1, self._vocabularies[0], size).tolist() for size in source[places]]
            made, lengths = make_source(ids, eos_id=_EOS, pad_id=_PAD)
            made = torch.nn.functional.pad(made, (0, -made.shape[1] % _LENGTH_MULTIPLE), value=_PAD)
            ends = torch.from_numpy(target[places].astype(numpy.int64)) + 1
            batches.append(_Sentences(*(tensor.to(self._device) for tensor in (made, lengths, ends))))
        return batches

    def _operations(self, batch: _Sentences) -> float:
        """Those of the sentences without padding; what the decoder does once for a source counts once."""
        total = 0.0
        for source, target in zip(batch.lengths.tolist(), batch.target_lengths.tolist(), strict=True):
            once, whole = self._flops.of(source, 0), self._flops.of(source, target)
            steps = whole.decoder + whole.output - once.decoder - once.output
            total += once.total + self._beam * steps
        return total / PASSES

    def _model(self) -> EncoderDecoder:
        if self._network is None:
            with self._device:
                self._network = build_model(
                    self._recipe.model, source_vocabulary=self._vocabularies[0], target_vocabulary=self._vocabularies[1]
                )
            self._network.eval()
        return self._network
