"""Validation: the token loss, and BLEU and chrF of translations made by the same search that users get."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from seq2seq.data.batch import Batch
from seq2seq.evaluation import score
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_directory import save_weights
from seq2seq.recipe import Evaluation
from seq2seq.scored import perplexity
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.loss import cross_entropy
from seq2seq.training.precision import Precision
from seq2seq.translator import Translation, TranslationOptions, Translator


class Validator:
    """Looks at a network through the validation corpus, and keeps the best one."""

    def __init__(
        self,
        *,
        batches: Iterable[tuple[object, Batch]],
        sources: Sequence[str],
        references: Sequence[str],
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
        options: TranslationOptions,
        precision: Precision,
        evaluation: Evaluation,
        directory: Path,
    ) -> None:
        """`batches` are the validation pairs, encoded, behind their indices; the lines of `sources` are decoded."""
        self._batches = batches
        self._sources = list(sources)
        self._references = list(references)
        self._source_tokenizer = source_tokenizer
        self._target_tokenizer = target_tokenizer
        self._options = options
        self._precision = precision
        self._evaluation = evaluation
        self._directory = directory
        #: The translations of the last validation, of the lines of `sources`, and what made them.
        self.translations: list[Translation] = []
        self.translator: Translator | None = None

    def __call__(self, model: EncoderDecoder, *, check: Callable[[], None]) -> dict[str, Any]:
        """Loss per target piece in nats, perplexity, BLEU and chrF; `check` is called between batches and may raise."""
        began = time.monotonic()
        model.eval()
        loss = self._loss(model, check)
        if math.isfinite(loss):
            self.translator, self.translations = self._translate(model, check)
            hypotheses = [translation.text for translation in self.translations]
        else:  # A network whose loss is no number has nothing to say.
            self.translator, self.translations, hypotheses = None, [], [""] * len(self._sources)
        scores = score(
            hypotheses,
            self._references,
            metrics=("bleu", "chrf"),
            tokenize=self._evaluation.tokenize,
            lowercase=self._evaluation.lowercase is True,
            detokenized=True,
        )
        values = {entry.metric: entry.value for entry in scores}
        return {
            "loss": loss,
            "perplexity": perplexity(loss),
            "bleu": values["bleu"],
            "chrf": values["chrf"],
            "seconds": round(time.monotonic() - began, 2),
        }

    def keep(self, model: EncoderDecoder, *, update: int, figures: dict[str, Any]) -> None:
        """Save the weights of `model` as those that translation uses."""
        save_weights(
            self._directory,
            dict(model.named_parameters()),
            source_tokenizer=self._source_tokenizer,
            target_tokenizer=self._target_tokenizer,
            metadata={"update": str(update), **{key: str(figures[key]) for key in ("loss", "bleu", "chrf")}},
        )

    @torch.no_grad()
    def _loss(self, model: EncoderDecoder, check: Callable[[], None]) -> float:
        total = torch.zeros((), device=self._precision.device)
        tokens = 0
        for _, batch in self._batches:
            check()
            batch = batch.to(self._precision.device)
            with self._precision.autocast():
                logits = model(batch.source, batch.source_lengths, batch.target_in).logits
            total += cross_entropy(logits, batch.target_out, batch.target_mask, smoothing=0.0)[1]
            tokens += batch.target_tokens
        return float(total) / tokens

    def _translate(self, model: EncoderDecoder, check: Callable[[], None]) -> tuple[Translator, list[Translation]]:
        translator = Translator(
            model=model,
            source_tokenizer=self._source_tokenizer,
            target_tokenizer=self._target_tokenizer,
            options=self._options,
            device=self._precision.device,
        )
        translations: list[Translation] = []
        # In a few large chunks: sorted by length within, and an interrupt is heard between them.
        chunk = 8 * self._options.batch_size
        for start in range(0, len(self._sources), chunk):
            check()
            translations += translator.translate(self._sources[start : start + chunk], alignment=False)
        return translator, translations
