"""A model directory of format version 1, stored once and never written anew: it must load and translate for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from seq2seq import Translator

MODEL = Path(__file__).parent / "version-1"

#: Number words, reversed; text and score as on the day the model was stored.
TRANSLATIONS = {
    "one two three": ("trois deux un deux", -0.133658),
    "nine seven four four eight": ("huit quatre quatre sept neuf", -0.015458),
    "ten": ("dix dix dix", -0.442130),
    "six five one": ("un cinq six", -0.024476),
}


@pytest.mark.parametrize("source", TRANSLATIONS)
def test_it_translates_as_on_the_day_it_was_stored(source: str) -> None:
    text, score = TRANSLATIONS[source]
    translation = Translator.load(MODEL, device="cpu").translate(source, beam=5)
    assert translation.text == text
    assert translation.score == pytest.approx(score, abs=1e-4)
