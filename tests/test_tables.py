"""Tables, character by character."""

from __future__ import annotations

from seq2seq.tables import Table

TABLE = Table(
    heads=("system", "BLEU", "Δ", "p ", "chrF2", "Δ", "p "),
    rows=[
        ("one", "58.28 ± 1.60", "", "", "73.87", "", ""),
        ("a|b", "5.97", "-52.31", "0.0099*", "1.8", "-0.01", "1.0 "),
    ],
    together=3,
)


def test_columns_are_aligned() -> None:
    assert TABLE.lines() == [
        "system          BLEU       Δ       p   chrF2      Δ    p",
        "one     58.28 ± 1.60                   73.87",
        "a|b             5.97  -52.31  0.0099*    1.8  -0.01  1.0",
    ]


def test_what_does_not_fit_goes_below_and_stays_together() -> None:
    below = [
        "system          BLEU       Δ       p",
        "one     58.28 ± 1.60",
        "a|b             5.97  -52.31  0.0099*",
        "",
        "system  chrF2      Δ    p",
        "one     73.87",
        "a|b       1.8  -0.01  1.0",
    ]
    widest = max(len(line) for line in TABLE.lines())
    assert len(TABLE.lines(width=widest + 1)) == 3  # the space that ends the last column counts
    assert TABLE.lines(width=widest) == below
    assert TABLE.lines(width=10) == below


def test_two_columns_that_say_what_a_row_is() -> None:
    table = Table(("length", "sentences", "one", "two"), [("1-5", "7", "1.00", "2.00")], fixed=2)
    of_one = ["length  sentences   one", "1-5             7  1.00"]
    of_two = ["length  sentences   two", "1-5             7  2.00"]
    assert table.lines(width=27) == [*of_one, "", *of_two]
    assert len(table.lines(width=29)) == 2
    assert Table(("length",), [("1-5",)]).lines() == ["length", "1-5"]


def test_a_wide_character_takes_two_columns() -> None:
    assert Table(("system", "x"), [("系統", "1"), ("ab", "2")]).lines() == ["system  x", "系統    1", "ab      2"]


def test_markdown() -> None:
    assert TABLE.markdown() == [
        "| system | BLEU | Δ | p | chrF2 | Δ | p |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| one | 58.28 ± 1.60 |  |  | 73.87 |  |  |",
        "| a\\|b | 5.97 | -52.31 | 0.0099* | 1.8 | -0.01 | 1.0 |",
    ]
