from __future__ import annotations

import math

import pytest

from seq2seq.text.sentences import Part
from seq2seq.translation import Translation, join_translations


def translation(text: str, *log_probs: float, alignment: tuple[tuple[int, int], ...] = ()) -> Translation:
    return Translation(text, 0.0, sum(log_probs), tuple(text.split()), log_probs, alignment, True, 3)


def test_joined_by_hand() -> None:
    parts = [Part("Un chat.", "\u2028 "), Part("Deux", ""), Part("chiens", "")]
    joined = join_translations(
        "Un chat.\u2028 Deuxchiens",
        parts,
        [
            translation("A cat.", -1.0, -2.0, -0.5, alignment=((0, 0), (1, 1))),
            translation("Two", -0.25, -0.25, alignment=((0, 0),)),
            translation("dogs", -1.0, alignment=((0, 0),)),
        ],
        score=lambda parts: math.fsum(len(part.pieces) for part in parts),
    )
    assert joined.text == "A cat.\u2028 Twodogs"
    assert joined.log_prob == pytest.approx(-5.0)
    assert joined.score == 4.0
    assert joined.piece_log_probs == (-1.0, -2.0, -0.5, -0.25, -0.25, -1.0)
    assert joined.pieces == ("A", "cat.", "Two", "dogs")
    assert joined.alignment == ((0, 0), (1, 1), (2, 2))  # Deuxchiens and Twodogs are a word each
    assert (joined.finished, joined.source_pieces) == (True, 9)


def test_parts_without_translation_leave_no_gap() -> None:
    parts = [Part("a", " "), Part("b", "\n"), Part("c", " "), Part("d", "")]
    texts = ["", "x", "", ""]
    joined = join_translations("a b\nc d", parts, [translation(text) for text in texts], score=lambda parts: 0.0)
    assert joined.text == "x"
    joined = join_translations("a b\nc d", parts, [translation(text) for text in "wxyz"], score=lambda parts: 0.0)
    assert joined.text == "w x y z"
