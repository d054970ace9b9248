from __future__ import annotations

import pytest

from seq2seq.cli.tab_separated import Column, TabSeparated
from seq2seq.errors import CorpusError
from seq2seq.translation import EMPTY_TRANSLATION, Translation

BEST = Translation("un chat", -0.5, -1.5, ("un", "chat"), (-0.5, -0.5, -0.5), ((0, 0), (2, 1)), True, 4)


def rows(
    *lines: str, source: Column = 1, target: Column | None = None, text: str = "un chat", **wanted: bool
) -> list[tuple[str | None, str]]:
    """Of every line, what is translated and what is written for it."""
    layout = TabSeparated(name="a.tsv", source=source, target=target, **wanted)
    found = []
    for number, line in enumerate(lines, start=1):
        entry = layout.entry(line, number)
        best = EMPTY_TRANSLATION if entry.text is None else Translation(text, *list(vars(BEST).values())[1:])
        [written] = entry.lines(0, [best])
        found.append((entry.text, written))
    return found


def test_a_new_last_column_and_all_else_as_it_was() -> None:
    assert rows("a cat\tx", ' "a\rb\t \t', "\ta", "c") == [
        ("a cat", "a cat\tx\tun chat"),
        (' "a\rb', ' "a\rb\t \t\tun chat'),
        ("", "\ta\tun chat"),
        ("c", "c\tun chat"),
    ]
    assert rows("1\ta cat\tx", source=2) == [("a cat", "1\ta cat\tx\tun chat")]


def test_a_column_that_is_asked_for_by_its_number_is_overwritten() -> None:
    assert rows("1\ta cat\tx", source=2, target=3) == [("a cat", "1\ta cat\tun chat")]
    assert rows("1\ta cat\tx", source=2, target=2) == [("a cat", "1\tun chat\tx")]
    assert rows("1\ta cat\tx", source=2, target=4) == [("a cat", "1\ta cat\tx\tun chat")]


def test_a_name_makes_the_first_line_a_header() -> None:
    assert rows("id\t en", "7\ta cat", source="en") == [
        (None, "id\t en\ttranslation"),
        ("a cat", "7\ta cat\tun chat"),
    ]
    assert rows("id\ten", "7\ta cat", source="en", target="fr")[0] == (None, "id\ten\tfr")
    assert rows("fr\ten", "7\ta cat", source="en", target="fr") == [(None, "fr\ten"), ("a cat", "un chat\ta cat")]
    assert rows("fr\ten", "7\ta cat", source=2, target="fr")[1] == ("a cat", "un chat\ta cat")
    assert rows("fr\ten", "7\ta cat", source="en", target=1) == [(None, "fr\ten"), ("a cat", "un chat\ta cat")]
    assert rows("id\ten", "7\ta cat", source="en", target=3)[0] == (None, "id\ten\ttranslation")
    assert rows("en\ttranslation", "a\tb", source="en", target="translation")[1] == ("a", "a\tun chat")


def test_scores_and_alignments_are_columns_after_all_others() -> None:
    assert rows("1\ta", source=2, target=1, scores=True, alignment=True) == [("a", "un chat\ta\t-0.5000\t0-0 2-1")]
    assert rows("en\tid", "a\t1", source="en", scores=True, alignment=True) == [
        (None, "en\tid\ttranslation\tscore\talignment"),
        ("a", "a\t1\tun chat\t-0.5000\t0-0 2-1"),
    ]


def test_blank_lines_stay_blank() -> None:
    assert rows("en\tid", "", "a\t1", " ", source="en") == [
        (None, "en\tid\ttranslation"),
        (None, ""),
        ("a", "a\t1\tun chat"),
        (None, " "),
    ]
    assert rows("\t", source=2) == [("", "\t\tun chat")]


def test_neither_a_tab_nor_a_line_break_is_ever_in_a_translation() -> None:
    assert rows("a\tb", text="x\ty\nz\r\nw\u2028") == [("a", "a\tb\tx y z  w\u2028")]


@pytest.mark.parametrize(
    ("columns", "lines", "message"),
    [
        (
            {"source": 3},
            ["a\tb\tc", "a\tb"],
            "line 2: 2 columns, but column 3 is to be translated; see --source-column",
        ),
        ({"source": 2}, ["a"], "line 1: 1 column, but column 2 is to be translated"),
        ({"target": 4}, ["a\tb"], "line 1: 2 columns, so the translation cannot be column 4; see --target-column"),
        ({"source": "en"}, ["en\tb", "a\tb", "a"], "line 3: 1 column, but the header has 2"),
        ({"source": "en"}, ["en\tb", "a\tb\tc"], "line 2: 3 columns, but the header has 2"),
        ({"source": "fr"}, ["en\tb"], "line 1: there is no column fr, only en, b"),
        ({"source": "en"}, ["en\ten"], "line 1: there are 2 columns en; rename them"),
        ({"source": 3, "target": "fr"}, ["en\tfr"], "line 1: 2 columns, but column 3 is to be translated"),
        ({"source": "en", "target": 4}, ["en\tfr"], "line 1: 2 columns, so the translation cannot be column 4"),
        (
            {"source": "en"},
            ["en\ttranslation"],
            "line 1: there is a column translation already; overwrite it with --target-column translation, or name",
        ),
        (
            {"source": "en", "scores": True},
            ["en\tscore"],
            "line 1: there is a column score already; rename it, or leave out --scores",
        ),
        (
            {"source": "en", "target": "alignment", "alignment": True},
            ["en"],
            "line 1: there is a column alignment already; rename it, or leave out --alignment",
        ),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(columns: dict[str, object], lines: list[str], message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        rows(*lines, **columns)  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"a.tsv, {message}")
