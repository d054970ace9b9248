"""Tags taken out and put back: by hand, and what must hold for any line."""

from __future__ import annotations

import random

import pytest

from seq2seq.text.markup import put_back, take_out

Pairs = tuple[tuple[int, int], ...]


@pytest.mark.parametrize(
    ("line", "plain", "translation", "alignment", "expected", "moved"),
    [
        # A pair goes where its word goes, and leaves out punctuation that only the translation has there.
        (
            "the <b>red</b> house.", "the red house.",
            "la maison rouge.", ((0, 0), (2, 1), (1, 2)),
            "la maison <b>rouge</b>.", ((0, 0), (2, 1), (1, 2)),
        ),
        # It keeps punctuation that it has, and leaves out what it leaves out.
        ("<b>all of it.</b>", "all of it.", "tout cela.", ((0, 0), (2, 1)), "<b>tout cela.</b>", ((0, 0), (2, 1))),
        ("see (<i>it</i>)!", "see (it)!", "regarde (le)!", ((0, 0), (1, 1)), "regarde (<i>le</i>)!", ((0, 0), (1, 1))),
        # What parts words in HTML parts them here, without a space that the line does not have.
        ("click<br/>here", "click here", "cliquez ici", ((0, 0), (1, 1)), "cliquez<br/>ici", ((0, 0),)),
        ("one <br> two", "one   two", "un deux", ((0, 0), (1, 1)), "un <br> deux", ((0, 0), (2, 2))),
        # Others do not; in the middle of a word they go to its edge.
        ("un<b>able</b> he", "unable he", "incapable il", ((0, 0), (1, 1)), "<b>incapable</b> il", ((0, 0), (1, 1))),
        # Pairs inside of pairs, whose words change places; a tag with a space in it is two words.
        (
            "<p>Hello <a href='x y'>big <i>red</i></a> world</p>", " Hello big red world ",
            "Bonjour monde rouge grand", ((0, 0), (3, 1), (2, 2), (1, 3)),
            "<p>Bonjour monde <a href='x y'><i>rouge</i> grand</a></p>", ((0, 0), (5, 1), (4, 4), (3, 5)),
        ),
        # A tag alone goes before the next word; with no word aligned, to the end.
        ("a <x/> b", "a  b", "c d e", ((0, 0), (1, 2)), "c d <x/> e", ((0, 0), (2, 3))),
        ("a <x/> b", "a  b", "c", ((0, 0),), "c <x/>", ((0, 0),)),
        ("<b></b>x", "x", "y", ((0, 0),), "<b></b>y", ((0, 0),)),
        ("<br/>", " ", "", (), "<br/>", ()),
        ("x</i> <unk> y", "x  y", "u v", ((0, 0), (1, 1)), "u</i> <unk> v", ((0, 0), (2, 2))),
        # No tags at all.
        ("a < b and <3 > c", "a < b and <3 > c", "x", ((0, 0),), "x", ((0, 0),)),
    ],
)  # fmt: skip
def test_by_hand(line: str, plain: str, translation: str, alignment: Pairs, expected: str, moved: Pairs) -> None:
    markup = take_out(line)
    assert markup.plain == plain
    text, pairs = put_back(markup, translation, alignment)
    assert text == expected
    assert set(pairs) == set(moved)


def test_every_tag_is_there_once_and_every_word_in_order() -> None:
    draw = random.Random(4)
    parts = ["<b>", "</b>", "<i>", "</i>", "<br/>", "<a href='1 2'>", "</a>", "cat", "dog.", "(red", " ", " ", " "]
    for _ in range(2000):
        line = "".join(draw.choices(parts, k=draw.randint(1, 14)))
        markup = take_out(line)
        count = len(markup.plain.split())
        assert len(markup.words) == count
        words = [draw.choice(["le", "chat.", "(rouge", "«il»", "..."]) for _ in range(draw.randint(0, 6))]
        aligned = [target for target in range(len(words)) if count and draw.random() < 0.8]
        alignment = tuple((draw.randrange(count), target) for target in aligned)
        text, moved = put_back(markup, " ".join(words), alignment)
        again = take_out(text)
        assert sorted(tag.text for tag in again.tags) == sorted(tag.text for tag in markup.tags)
        assert "".join(again.plain.split()) == "".join(words)
        assert all(0 <= source < len(line.split()) and 0 <= target < len(text.split()) for source, target in moved)
        # What was nested is nested: the same pairs find each other, where no tag alone comes between them.
        if all(tag.partner is not None or tag.text == "<br/>" for tag in markup.tags):
            assert all(tag.partner is not None or tag.text == "<br/>" for tag in again.tags)


def test_the_words_of_the_plain_line_are_words_of_the_line() -> None:
    line = "<p class='a b'>Hello <b>big</b> world </p> again"
    markup = take_out(line)
    assert [line.split()[number] for number in markup.words] == ["b'>Hello", "<b>big</b>", "world", "again"]
