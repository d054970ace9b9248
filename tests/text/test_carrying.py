"""Words that are carried over, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from seq2seq.text.carrying import carry_over

ALL = ("urls", "numbers", "unknown")


@pytest.mark.parametrize(
    ("source", "translation", "alignment", "expected", "moved"),
    [
        # An address that became two words is one again, and keeps the punctuation that the translation has there.
        (
            "Write to me@example.org today.", "Écrivez à mé exempel.or, maintenant.",
            ((0, 0), (1, 1), (2, 2), (2, 3), (3, 4)),
            "Écrivez à me@example.org, maintenant.", ((0, 0), (1, 1), (2, 2), (3, 3)),
        ),
        ("See (https://a.b/c?d=1).", "Voir (htt).", ((0, 0), (1, 1)), "Voir (https://a.b/c?d=1).", ((0, 0), (1, 1))),
        ("www.x.org", "www.x.org", ((0, 0),), "www.x.org", ((0, 0),)),
        # A number that became another; the same digits in another way, and words, stay.
        ("In 1984 he", "En 1948 il", ((0, 0), (1, 1), (2, 2)), "En 1984 il", ((0, 0), (1, 1), (2, 2))),
        ("It is 3.5, now", "Il est 3,5, là", ((0, 0), (2, 2), (3, 3)), "Il est 3,5, là", ((0, 0), (2, 2), (3, 3))),
        ("3 cats", "trois chats", ((0, 0), (1, 1)), "trois chats", ((0, 0), (1, 1))),
        ("1,000 cats", "1 100 chats", ((0, 0), (0, 1), (1, 2)), "1,000 chats", ((0, 0), (1, 1))),
        # A word that nobody knows.
        ("the Łódź train", "le Ldz train", ((0, 0), (1, 1), (2, 2)), "le Łódź train", ((0, 0), (1, 1), (2, 2))),
        # Two groups are aligned with it: the longer one is replaced.
        ("x www.x.org", "ww de wx or", ((1, 0), (0, 1), (1, 2), (1, 3)), "ww de www.x.org", ((1, 0), (0, 1), (1, 2))),
        # Nothing is aligned with it.
        ("to www.x.org", "à", ((0, 0),), "à", ((0, 0),)),
        ("", "", (), "", ()),
    ],
)  # fmt: skip
def test_by_hand(source: str, translation: str, alignment: Any, expected: str, moved: Any) -> None:
    found = carry_over(source, translation, alignment, kinds=ALL, is_unknown=lambda word: "Ł" in word)
    assert found == (expected, moved)


def test_only_the_kinds_that_were_asked_for() -> None:
    arguments: Any = ("www.x.org 12 Ł", "a 13 b", ((0, 0), (1, 1), (2, 2)))
    unknown: Any = {"is_unknown": lambda word: word == "Ł"}
    assert carry_over(*arguments, kinds=["urls"], **unknown)[0] == "www.x.org 13 b"
    assert carry_over(*arguments, kinds=["numbers"], **unknown)[0] == "a 12 b"
    assert carry_over(*arguments, kinds=["unknown"], **unknown)[0] == "a 13 Ł"
    assert carry_over(*arguments, kinds=[], **unknown)[0] == "a 13 b"
