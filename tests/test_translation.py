from __future__ import annotations

import math

import pytest

from seq2seq.rendering import join_n_best
from seq2seq.text.sentences import Part
from seq2seq.translation import Translation, join_translations
from seq2seq.translation_options import TranslationOptions


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


def test_line_breaks_stay_where_sentences_are_translated_one_by_one() -> None:
    parts = [Part("", "\n "), Part("a", "  "), Part("b", " \n\n"), Part("c", "\t"), Part("d", "\n")]

    def text_of(line: str, parts: list[Part], texts: list[str]) -> str:
        found = [translation(text) for text in texts]
        return join_translations(line, parts, found, score=lambda parts: 0.0, keep_breaks=True).text

    for texts, expected in (
        (["", "w", "x", "y", "z"], "\n w  x \n\ny\tz\n"),
        (["", "w", "", "y", ""], "\n w   \n\ny\t\n"),
        (["", "", "", "", ""], "\n  \n\n\n"),
    ):
        assert text_of("\n a  b \n\nc\td\n", parts, texts) == expected
    parts = [Part("a", " "), Part("b", " "), Part("c", "")]
    assert text_of("a b c", parts, ["", "x", ""]) == "x"


def test_the_list_of_a_line_joins_the_lists_of_its_parts() -> None:
    parts = [Part("a b", " "), Part("c", "")]
    first = [translation("u v", -1.0, -1.0, -1.0, alignment=((1, 0), (0, 1))), translation("w", -2.0, -2.0)]
    second = [translation("x", -0.5, -0.5, alignment=((0, 0),))]
    found = join_n_best("a b c", parts, [first, second], TranslationOptions(length_penalty=1.0))
    assert [(each.text, each.log_prob) for each in found] == [("u v x", -4.0), ("w x", -5.0)]
    assert [each.score for each in found] == [pytest.approx(-4.0 / 5), pytest.approx(-5.0 / 4)]
    assert found[0].alignment == ((1, 0), (0, 1), (2, 2))
