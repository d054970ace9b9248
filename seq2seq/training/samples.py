"""A few validation sentences whose translations one can watch getting better, each with its attention as a picture."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seq2seq.errors import Seq2SeqError
from seq2seq.plots.alignment import draw_alignment
from seq2seq.plots.figure import look, png
from seq2seq.soft_alignment import align_translation
from seq2seq.storage import write_atomically
from seq2seq.training.journal import Journal
from seq2seq.translator import Translation, Translator

HISTORY = "samples.jsonl"
PAGE = "samples.md"
#: Pieces of a source beyond which its attention is hard to read.
_LONGEST = 60


@dataclass(frozen=True)
class Sample:
    """A sentence that is watched: its line in the decoded validation text, from 1, and what stands there."""

    line: int
    source: str
    reference: str


def choose_samples(lengths: Sequence[int], *, count: int, longest: int = _LONGEST) -> list[int]:
    """Indices of `count` sentences spread over the lengths, shortest first; fewer where there are not so many.

    Of the sentences in order of length, cut into `count` parts of equal size, the middle one of each part; empty ones
    and those of more than `longest` pieces are left out. The same sentences are always chosen.
    """
    ranked = sorted((length, index) for index, length in enumerate(lengths) if 0 < length <= longest)
    count = min(count, len(ranked))
    return [ranked[(2 * part + 1) * len(ranked) // (2 * count)][1] for part in range(count)]


class SampleBook:
    """The folder `samples/` of a run: every validation's translations of the samples, and their latest attention."""

    def __init__(self, folder: Path, samples: Sequence[Sample], *, title: str) -> None:
        self._folder = folder
        self._samples = list(samples)
        self._title = title

    def add(
        self,
        update: int,
        figures: dict[str, Any],
        *,
        translations: Sequence[Translation],
        translator: Translator,
        journal: Journal,
    ) -> None:
        """Take in the translations of a validation, all of them in the order of the text.

        What the book has of this update or later ones comes from work that was lost, and goes.

        Raises:
            Seq2SeqError: a file cannot be written.
        """
        mine = [translations[sample.line - 1] for sample in self._samples]
        entry = {
            "update": update,
            "epoch": figures["epoch"],
            "best": figures["best"],
            "samples": [
                dataclasses.asdict(sample) | {"translation": translation.text, "finished": translation.finished}
                for sample, translation in zip(self._samples, mine, strict=True)
            ],
        }
        entries = [old for old in read_entries(self._folder) if old["update"] < update] + [entry]
        lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in entries)
        write_atomically(self._folder / HISTORY, lines.encode())
        for number, (sample, translation) in enumerate(zip(self._samples, mine, strict=True), 1):
            journal.show_text(f"samples/{number}", update, _card(sample, translation.text))
            picture = self._folder / f"attention-{number}.png"
            if not (translator.has_attention and translation.pieces):
                picture.unlink(missing_ok=True)
                continue
            drawn = _draw(translator, sample, translation, title=f"after {update:,} updates")
            if drawn is None:
                picture.unlink(missing_ok=True)
                continue
            write_atomically(picture, drawn)
            journal.show_image(f"attention/{number}", update, drawn)
        write_atomically(self._folder / PAGE, self._page(entries).encode())

    def _page(self, entries: Sequence[dict[str, Any]]) -> str:
        parts = [
            f"# Sample translations: {self._title}\n",
            "The newest translations stand first; validations that changed nothing share a row. "
            f"`{HISTORY}` has them all.\n",
        ]
        for number, sample in enumerate(self._samples, 1):
            parts.append(f"## Sentence {number}: line {sample.line} of the validation text\n")
            parts.append(f"Source: {escaped(sample.source)}\n\nReference: {escaped(sample.reference)}\n")
            parts.append("| Updates | Epochs | Translation |\n| ---: | ---: | --- |")
            parts += [
                f"| {first:,}{f' to {last:,}' if last != first else ''} | {epoch} | {escaped(text)} |"
                for first, last, epoch, text in reversed(_phases(entries, sample))
            ]
            if (self._folder / f"attention-{number}.png").is_file():
                parts.append(f"\n![Attention of the latest translation](attention-{number}.png)")
            parts.append("")
        return "\n".join(parts)


def read_entries(folder: Path) -> list[dict[str, Any]]:
    """The entries of a book, oldest first; none where there is no book yet."""
    try:
        lines = (folder / HISTORY).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def escaped(text: str) -> str:
    """Text as it is, in Markdown and in the cell of a table."""
    for character in "\\`*_[]|~#":
        text = text.replace(character, f"\\{character}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ").replace("$", "&#36;")


def _phases(entries: Sequence[dict[str, Any]], sample: Sample) -> list[tuple[int, int, int, str]]:
    """Translations of a sample, with the first and last update at which it was this one, and the epochs then."""
    phases: list[tuple[int, int, int, str]] = []
    for entry in entries:
        text = next((each["translation"] for each in entry["samples"] if each["line"] == sample.line), None)
        if text is None:
            continue  # It was not watched then.
        if phases and phases[-1][3] == text:
            phases[-1] = phases[-1][0], entry["update"], entry["epoch"], text
        else:
            phases.append((entry["update"], entry["update"], entry["epoch"], text))
    return phases


def _card(sample: Sample, translation: str) -> str:
    """A sample for TensorBoard."""
    rows = {"source": sample.source, "reference": sample.reference, "translation": translation}
    return "| | |\n| --- | --- |\n" + "\n".join(f"| {name} | {escaped(text)} |" for name, text in rows.items())


def _draw(translator: Translator, sample: Sample, translation: Translation, *, title: str) -> bytes | None:
    """The attention as a PNG; None where it cannot be drawn, as of a translation that does not end."""
    try:
        alignment = align_translation(translator, sample.source, translation)
    except Seq2SeqError:
        return None
    with look():
        return png(draw_alignment(dataclasses.replace(alignment, title=title)), dpi=90, tight=True)
