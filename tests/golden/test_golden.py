"""Model directories of every format version, stored once and never written anew: they load and translate for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from seq2seq import Translator

FOLDER = Path(__file__).parent

#: Number words, reversed, as well as each model has learned it; text and score as on the day the model was stored.
#: Version 1 is an attentive LSTM. Version 2 has layer-norm LSTMs under deep transitions, dense and highway connections,
#: coverage between the two cells of a conditional layer, a context gate and the copy generator. Version 3 reads the
#: embeddings beside the outputs of its GRUs, feeds the attention back into residual LSTMs, and has a shortlist.
TRANSLATIONS = {
    "version-1": {
        "one two three": ("trois deux un deux", -0.133658),
        "nine seven four four eight": ("huit quatre quatre sept neuf", -0.015458),
        "ten": ("dix dix dix", -0.442130),
        "six five one": ("un cinq six", -0.024476),
    },
    "version-2": {
        "one two three": ("deux un deux", -0.337379),
        "nine seven four four eight": ("deux quatre quatre quatre quatre", -0.890443),
        "ten": ("dix", -1.286179),
        "six five one": ("un deux six", -0.518409),
    },
    "version-3": {
        "one two three": ("trois deux un un", -0.034777),
        "nine seven four four eight": ("huit quatre quatre sept neuf", -0.018469),
        "ten": ("dix dix", -0.080160),
        "six five one": ("un cinq six", -0.028708),
    },
}
SHORTLISTED = {
    "one two three": ("trois deux un un", -0.024647),
    "nine seven four four eight": ("huit quatre quatre sept neuf", -0.010984),
    "ten": ("dix dix", -0.012176),
    "six five one": ("un cinq six", -0.019884),
}
CASES = [(version, source) for version, texts in TRANSLATIONS.items() for source in texts]


@pytest.mark.parametrize(("version", "source"), CASES)
def test_it_translates_as_on_the_day_it_was_stored(version: str, source: str) -> None:
    text, score = TRANSLATIONS[version][source]
    translation = Translator.load(FOLDER / version, device="cpu").translate(source, beam=5)
    assert translation.text == text
    assert translation.score == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("source", SHORTLISTED)
def test_its_shortlist_is_read_as_on_the_day_it_was_stored(source: str) -> None:
    text, score = SHORTLISTED[source]
    translation = Translator.load(FOLDER / "version-3", device="cpu").translate(source, beam=5, shortlist=True)
    assert translation.text == text
    assert translation.score == pytest.approx(score, abs=1e-4)


def test_every_stored_version_is_tested() -> None:
    assert {path.name for path in FOLDER.glob("version-*")} == TRANSLATIONS.keys()
