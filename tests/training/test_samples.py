"""Sample translations: which sentences, what the book holds, and what a continued run makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seq2seq.training.journal import Journal
from seq2seq.training.samples import Sample, SampleBook, choose_samples, escaped, read_entries
from seq2seq.translation import EMPTY_TRANSLATION
from seq2seq.translator import Translator

SOURCES = ["Where is the station?", "the small dog", "two tickets, please"]
SAMPLES = [Sample(2, SOURCES[1], "le petit chien"), Sample(1, SOURCES[0], "Où est la gare ?")]


def test_samples_are_spread_over_lengths() -> None:
    lengths = [9, 1, 0, 5, 7, 3, 8, 2, 6, 4, 100]
    # In order of length 1 to 9: the middles of three parts of three are 2, 5 and 8.
    assert [lengths[index] for index in choose_samples(lengths, count=3)] == [2, 5, 8]
    assert [lengths[index] for index in choose_samples(lengths, count=1)] == [5]
    assert [lengths[index] for index in choose_samples(lengths, count=50)] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert choose_samples([0, 61], count=4) == []
    assert choose_samples([5, 5, 5, 5], count=2) == [1, 3]


def add(folder: Path, update: int, translator: Translator, *, epoch: int = 1) -> None:
    journal = Journal(folder.parent, keep_bytes=0, update=0, tensorboard=False)
    translations = translator.translate(SOURCES)
    book = SampleBook(folder, SAMPLES, title="tiny")
    book.add(
        update,
        {"epoch": epoch, "best": update == 20},
        translations=translations,
        translator=translator,
        journal=journal,
    )
    journal.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "samples").mkdir()
    return tmp_path / "samples"


def test_the_book_holds_every_validation_once(folder: Path, translator: Translator) -> None:
    for update in (10, 20, 30, 20):  # The run was killed after 30, before it had saved what came after 10.
        add(folder, update, translator)
    entries = read_entries(folder)
    assert [(entry["update"], entry["best"]) for entry in entries] == [(10, False), (20, True)]
    translations = translator.translate(SOURCES)
    texts = [translation.text for translation in translations]
    assert entries[1]["samples"][0] == {
        "line": 2,
        "source": "the small dog",
        "reference": "le petit chien",
        "translation": texts[1],
        "finished": translations[1].finished,
    }
    assert [each["translation"] for each in entries[0]["samples"]] == [texts[1], texts[0]]
    page = (folder / "samples.md").read_text("utf-8")
    assert f"| 10 to 20 | 1 | {escaped(texts[1])} |" in page
    assert page.count("](attention-") == 2
    for number in (1, 2):
        assert (folder / f"attention-{number}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_change_is_a_new_row_above_the_old(folder: Path, translator: Translator) -> None:
    add(folder, 10, translator)
    path = folder / "samples.jsonl"
    entry = json.loads(path.read_text("utf-8"))
    entry["samples"][0]["translation"] = "un | petit *chien*"
    path.write_text(json.dumps(entry) + "\n", "utf-8")
    add(folder, 2000, translator, epoch=3)
    rows = [line for line in (folder / "samples.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    text = escaped(translator.translate(SOURCES[1]).text)
    assert rows[2:4] == [f"| 2,000 | 3 | {text} |", "| 10 | 1 | un \\| petit \\*chien\\* |"]


def test_without_a_translation_or_attention_there_is_no_picture(folder: Path, translator: Translator) -> None:
    add(folder, 10, translator)
    assert len(list(folder.glob("*.png"))) == 2
    journal = Journal(folder.parent, keep_bytes=0, update=0, tensorboard=False)
    translations = [translator.translate(SOURCES[0]), EMPTY_TRANSLATION, EMPTY_TRANSLATION]
    book = SampleBook(folder, SAMPLES, title="tiny")
    figures = {"epoch": 1, "best": True}
    book.add(20, figures, translations=translations, translator=translator, journal=journal)
    journal.close()
    assert [path.name for path in folder.glob("*.png")] == ["attention-2.png"]
    assert "attention-1.png" not in (folder / "samples.md").read_text("utf-8")
