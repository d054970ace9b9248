"""Weights of validations that are kept beside the best ones of a run, for averaging and for going back."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from seq2seq.errors import ModelError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_directory import save_weights
from seq2seq.text.tokenizer import Tokenizer

_NAME = re.compile(r"update-(\d+)\.safetensors")


@dataclass(frozen=True)
class KeptWeights:
    """One file of kept weights: the update that they are from, and the figures of its validation."""

    path: Path
    update: int
    figures: Mapping[str, float] = field(compare=False)

    def figure(self, metric: str) -> float:
        """The value of a metric; one that is not there or not a number is the worst of all."""
        value = self.figures.get(metric, math.nan)
        return value if not math.isnan(value) else math.inf if metric == "loss" else -math.inf


class Keeper:
    """Keeps the weights of the last and of the best validations in a folder, and removes the others."""

    def __init__(
        self,
        folder: Path,
        *,
        last: int,
        best: int,
        metric: str,
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
    ) -> None:
        """`last` and `best` say how many; best are those of highest `metric`, or lowest loss."""
        self._folder = folder
        self._last = last
        self._best = best
        self._metric = metric
        self._tokenizers = {"source_tokenizer": source_tokenizer, "target_tokenizer": target_tokenizer}

    def forget_after(self, update: int) -> None:
        """Remove what is left of updates after `update`, which a run that goes on from there makes anew."""
        for kept in kept_weights(self._folder):
            if kept.update > update:
                kept.path.unlink(missing_ok=True)

    def add(self, model: EncoderDecoder, *, update: int, figures: Mapping[str, Any]) -> None:
        """Keep the weights of `model`, validated after `update`, as long as they are among the last or the best."""
        if self._last or self._best:
            values = {key: float(figures[key]) for key in ("loss", "bleu", "chrf")}
            save_weights(
                self._folder,
                dict(model.named_parameters()),
                name=f"update-{update}.safetensors",
                metadata={"update": str(update), **{key: str(value) for key, value in values.items()}},
                **self._tokenizers,
            )
        self._prune()

    def _prune(self) -> None:
        kept = kept_weights(self._folder)
        wanted = {*kept[len(kept) - min(self._last, len(kept)) :], *best_of(kept, self._best, metric=self._metric)}
        for each in kept:
            if each not in wanted:
                each.path.unlink(missing_ok=True)


def kept_weights(folder: Path) -> list[KeptWeights]:
    """The kept weights in a folder, if there are any, the earliest update first; damaged files are passed over."""
    found = []
    for path in folder.glob("update-*.safetensors"):
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        with suppress(ModelError):
            found.append(KeptWeights(path, int(match[1]), _figures(path)))
    return sorted(found, key=lambda each: each.update)


def best_of(kept: Iterable[KeptWeights], count: int, *, metric: str) -> list[KeptWeights]:
    """The `count` of highest `metric`, or lowest loss, best first; of equal ones the earliest."""
    sign = 1.0 if metric == "loss" else -1.0
    return sorted(kept, key=lambda each: (sign * each.figure(metric), each.update))[:count]


def _figures(path: Path) -> dict[str, float]:
    """The figures in a file's metadata. Raises ModelError where it is damaged."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
        return {key: float(metadata[key]) for key in ("loss", "bleu", "chrf") if key in metadata}
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{path}: the file is damaged or truncated ({error})") from error
