"""Whole updates: a recipe's network on synthetic ids, in every precision, on one stream and two, with graphs or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import torch

from seq2seq.build import build_model
from seq2seq.data.batch import Batch
from seq2seq.data.filtering import PairFilter
from seq2seq.data.loader import TrainingLoader
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.nn.recurrent import EncoderLayer
from seq2seq.recipe import Recipe
from seq2seq.recording import CudaRecorder
from seq2seq.training.graphs import LENGTH_MULTIPLE, GraphedUpdates, UpdateStep
from seq2seq.training.objective import Objective
from seq2seq.training.optimizer import make_optimizer
from seq2seq.training.precision import Precision
from seq2seq.training.step import train_step
from tools.benchmark_gpu.timing import Case, Work
from tools.benchmark_training.flops import FlopCount
from tools.benchmark_training.material import Lengths, synthetic_corpus

_BATCH_MULTIPLE = 8
_NAMES = {torch.float16: "fp16", torch.bfloat16: "bf16", torch.float32: "fp32"}


@dataclass(frozen=True)
class Way:
    """How an update is made."""

    dtype: torch.dtype
    two_streams: bool = False
    graphs: bool = False

    @property
    def name(self) -> str:
        """What the tables call it."""
        return "CUDA graphs" if self.graphs else "two streams" if self.two_streams else "one stream"


class Bench:
    """A recipe's network on a device, made once for all ways and sizes, and batches of any size for it."""

    def __init__(self, name: str, recipe: Recipe, device: torch.device, lengths: Lengths, *, pairs: int) -> None:
        """`pairs`: of the synthetic corpus."""
        section = recipe.tokenizer
        self._vocabularies = (section.vocabulary_size, section.target_vocabulary_size or section.vocabulary_size)
        self._name = name
        self._recipe = recipe
        self._device = device
        self._corpus = synthetic_corpus(
            lengths,
            pairs=pairs,
            vocabularies=self._vocabularies,
            limits=PairFilter(max_pieces=recipe.corpus.max_pieces, max_length_ratio=recipe.corpus.max_length_ratio),
            seed=1,
        )
        self._flops: FlopCount | None = None
        self._model: EncoderDecoder | None = None
        self._optimizer: torch.optim.Optimizer | None = None

    def cases(self, ways: Sequence[Way], *, batch_tokens: int, batches: int, label: str) -> list[Case]:
        """Every way on the same `batches` batches, or with graphs on those that are cut for them."""
        return [
            Case(
                table=self._name,
                labels={"precision": _NAMES[way.dtype], "way": way.name, "batch": label},
                dtype=way.dtype,
                prepare=partial(self._work, way, batch_tokens=batch_tokens, batches=batches),
            )
            for way in ways
        ]

    def _work(self, way: Way, *, batch_tokens: int, batches: int) -> Work:
        if way.two_streams and self._device.type != "cuda":
            raise RuntimeError("a CPU has no streams")
        model, training = self._network(), self._recipe.training
        # Recordings belong to an optimizer; all others share one, so that memory is that of one training.
        optimizer = self._new_optimizer() if way.graphs else self._optimizer or self._new_optimizer()
        if not way.graphs:
            self._optimizer = optimizer
        layers = [module for module in model.modules() if isinstance(module, EncoderLayer)]
        step: UpdateStep = partial(
            train_step,
            model,
            objective=Objective(label_smoothing=training.label_smoothing),
            optimizer=optimizer,
            precision=Precision(dtype=way.dtype, device=self._device),
            clip_by=training.clipping.by,
            clip_threshold=training.clipping.threshold,
        )
        if way.graphs:
            recorder = CudaRecorder(self._device)
            step = GraphedUpdates(
                step,
                optimizer=optimizer,
                recorder=recorder,
                device=self._device,
                batch_tokens=batch_tokens,
                say=_refuse,
            )
        drawn = self._batches(batch_tokens, batches, length_multiple=LENGTH_MULTIPLE if way.graphs else 1)

        def update(batch: Batch) -> None:
            for layer in layers:
                layer.two_streams = way.two_streams
            step([batch], learning_rate=1e-4)

        def done() -> None:
            optimizer.zero_grad(set_to_none=True)

        return Work(
            steps=[partial(update, batch) for batch in drawn],
            tokens=[batch.source_tokens + batch.target_tokens for batch in drawn],
            flops=[self._operations(batch) for batch in drawn],
            done=done,
        )

    def _new_optimizer(self) -> torch.optim.Optimizer:
        return make_optimizer(self._network().parameters(), **self._recipe.training.optimizer.model_dump())

    def _network(self) -> EncoderDecoder:
        if self._model is None:
            with self._device:
                self._model = build_model(
                    self._recipe.model, source_vocabulary=self._vocabularies[0], target_vocabulary=self._vocabularies[1]
                )
            self._model.train()
        return self._model

    def _batches(self, batch_tokens: int, number: int, *, length_multiple: int) -> list[Batch]:
        loader = TrainingLoader(
            self._corpus,
            batch_tokens=batch_tokens,
            seed=1,
            multiple_of=_BATCH_MULTIPLE,
            length_multiple=length_multiple,
            pin_memory=self._device.type == "cuda",
        )
        return list(islice(loader.epoch(0), number))

    def _operations(self, batch: Batch) -> float:
        """Those of the pairs without padding."""
        if self._flops is None:
            self._flops = FlopCount(self._recipe.model, vocabularies=self._vocabularies)
        lengths = batch.source_tokens / batch.size, batch.target_tokens / batch.size
        return batch.size * self._flops.of(*lengths).total


def _refuse(message: str) -> None:
    """A row of graphs whose updates were not recorded would be a row of something else."""
    raise RuntimeError(message)
