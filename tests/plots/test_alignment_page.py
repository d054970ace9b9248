"""The page of alignments, read back by a parser of HTML."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from seq2seq.plots.alignment_page import AlignedLine, alignment_page

LINE = AlignedLine(
    source=["a", "<b>", "c&d"],
    target=["x", '"y"'],
    weights=[[0.75, 0.25, 0.0], [0.0, 0.05, 0.9]],
    pairs=[(0, 0), (2, 1)],
    confidences=[0.5, 1.0],
    score=-0.25,
)


class Reader(HTMLParser):
    """What stands in the cells, and in the other elements, of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.cells: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "meta":
            return
        self.open.append((tag, dict(attributes)))
        if tag == "td":
            self.cells.append(dict(attributes))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open:
            self.texts.append((self.open[-1][0], data))


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_every_weight_is_a_cell() -> None:
    reader = read("".join(alignment_page([LINE, LINE], title="A < B", note="2 lines")))
    assert ("h1", "A < B") in reader.texts
    assert ("p", "2 lines") in reader.texts
    assert [text for tag, text in reader.texts if tag == "h2"] == ["1. a <b> c&d", "2. a <b> c&d"]
    assert [text for tag, text in reader.texts if tag == "div"] == ["a", "<b>", "c&d"] * 2
    assert [text for tag, text in reader.texts if tag == "th"] == ["x", '"y"'] * 2
    assert [text for tag, text in reader.texts if tag == "td"] == [".75", ".25", ".90"] * 2
    assert len(reader.cells) == 12
    for cell, weight in zip(reader.cells, [each for row in LINE.weights for each in row], strict=False):
        assert cell["title"] == f"{weight:.4f}"
        shade = float(str(cell["style"]).rpartition(", ")[2].rstrip(")"))
        assert shade == pytest.approx(0.75 * weight, abs=1e-3)
    assert [place for place, cell in enumerate(reader.cells[:6]) if cell.get("class") == "chosen"] == [0, 5]


def test_a_line_without_words_has_no_table() -> None:
    empty = AlignedLine(source=[], target=[], weights=[], pairs=[], confidences=[], score=0.0)
    reader = read("".join(alignment_page([empty], title="t")))
    assert reader.cells == []


def test_it_needs_nothing_else() -> None:
    page = "".join(alignment_page([LINE], title="t"))
    assert "http" not in page
    assert "<script" not in page
    assert "url(" not in page
