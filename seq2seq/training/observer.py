"""What one can look at while a training runs, made anew at every validation: its curves and sample translations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seq2seq.plots.curves import Curves, Line, draw_curves
from seq2seq.plots.figure import look, png
from seq2seq.recipe import Recipe
from seq2seq.storage import write_atomically
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.history import History, JournalReader, likelihood
from seq2seq.training.journal import JOURNAL, Journal
from seq2seq.training.samples import Sample, SampleBook, choose_samples
from seq2seq.training.validation import Validator

CURVES = "curves.png"
SAMPLES = "samples"
_NAMES = {"bleu": "BLEU", "chrf": "chrF", "loss": "loss"}


class Observer:
    """Draws and writes; whatever fails in that is said once and never ends the training."""

    def __init__(
        self,
        directory: Path,
        *,
        recipe: Recipe,
        validator: Validator,
        sources: Sequence[str],
        references: Sequence[str],
        tokenizer: Tokenizer,
        journal: Journal,
        say: Callable[[str], None],
    ) -> None:
        """`sources` and `references` are the lines that `validator` decodes, `tokenizer` that of the sources."""
        self._directory = directory
        self._recipe = recipe
        self._validator = validator
        self._journal = journal
        self._say = say
        self._failed: set[str] = set()
        self._reader = JournalReader(directory / JOURNAL)
        self._book: SampleBook | None = None
        if recipe.training.validation.samples:
            lengths = [len(ids) for ids in tokenizer.encode(sources)]
            chosen = choose_samples(
                lengths, count=recipe.training.validation.samples, longest=min(60, recipe.search.max_input_pieces)
            )
            samples = [Sample(index + 1, sources[index], references[index]) for index in chosen]
            self._book = SampleBook(directory / SAMPLES, samples, title=recipe.run.name)

    def __call__(self, update: int, figures: dict[str, Any]) -> None:
        """After a validation: `figures` are those of its record."""
        self._try("sample translations", lambda: self._write_samples(update, figures))
        self._try(CURVES, lambda: write_curves(self._directory, self._recipe, self._reader.read()))

    def _write_samples(self, update: int, figures: dict[str, Any]) -> None:
        folder = self._directory / SAMPLES
        folder.mkdir(exist_ok=True)
        translations, translator = self._validator.translations, self._validator.translator
        if figures["best"]:
            lines = "".join(f"{translation.text}\n" for translation in translations)
            write_atomically(folder / f"validation.{self._recipe.corpus.target_language}", lines.encode())
        if self._book is not None and translator is not None:
            self._book.add(update, figures, translations=translations, translator=translator, journal=self._journal)

    def _try(self, what: str, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:
            # Whatever it is, hours of training must not be lost for a picture.
            if what not in self._failed:
                self._failed.add(what)
                reason = str(error) or type(error).__name__
                self._say(f"note: {what} cannot be made ({reason}); the training goes on, and will not say so again")


def write_curves(directory: Path, recipe: Recipe, history: History) -> None:
    """Draw `curves.png` in a run's folder. Raises Seq2SeqError where it cannot be drawn or written."""
    with look():
        drawn = png(draw_curves(curves_of(history, recipe)), dpi=110)
    write_atomically(directory / CURVES, drawn)


def curves_of(history: History, recipe: Recipe) -> Curves:
    """What is drawn of a run."""
    training = recipe.training
    metric = training.validation.metric
    best = history.best(metric)
    loss = Line([point.update for point in history.training], likelihood(history.training))
    objective = history.of_training(lambda point: point.loss)
    # Rounding apart, they differ only where labels are smoothed or a reward is added.
    differs = any(abs(one - other) > 1e-3 for one, other in zip(loss.values, objective.values, strict=True))
    title = f"{recipe.run.name}: {history.last_update:,} updates"
    if best is not None:
        digits = 3 if metric == "loss" else 2
        title += f", best {_NAMES[metric]} {best[metric]:.{digits}f}"
    return Curves(
        title=title,
        loss=loss,
        objective=objective if differs else Line(),
        validation_loss=history.of_validation("loss"),
        bleu=history.of_validation("bleu"),
        chrf=history.of_validation("chrf"),
        learning_rate=history.of_training(lambda point: point.learning_rate),
        gradient_norm=history.of_training(lambda point: point.gradient_norm),
        clipping=training.clipping.threshold if training.clipping.by == "norm" else None,
        epochs=history.epoch_ends(),
        metric=metric,
        best=None if best is None else best["update"],
        resumed=[record["update"] for record, _ in history.sittings[1:]],
        skipped=[update for update, _ in history.skipped],
        rolled_back=history.rolled_back,
    )
