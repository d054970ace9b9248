"""Soft alignments as a web page: one file that needs no other, no network and no script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """\
:root { color-scheme: light dark;
  --ink: #1d2733; --paper: #fff; --faint: #6b7683; --line: #d9dee4; --mark: 31, 95, 166; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e9ef; --paper: #14181d; --faint: #93a0ad; --line: #333c46; --mark: 110, 175, 245; }
}
body { margin: 2rem auto; max-width: 72rem; padding: 0 1.5rem; color: var(--ink); background: var(--paper);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.3rem; } h1 + p, .score { color: var(--faint); }
section { margin: 2.5rem 0; overflow-x: auto; }
h2 { font-size: 1rem; font-weight: 600; margin: 0; }
.translation { margin: .2rem 0 .6rem; }
.translation span { border-bottom: 3px solid; padding: 0 .1em; }
table { border-collapse: collapse; font-size: .85rem; }
th { font-weight: 400; white-space: nowrap; }
th.source { height: 6rem; width: 1.9rem; vertical-align: bottom; padding: 0; text-align: left; }
th.source div { width: 1.9rem; margin: 0 0 .15rem .8rem; transform: rotate(-55deg); transform-origin: 0 100%; }
th.target { text-align: right; padding: 0 .6rem 0 0; }
table { table-layout: fixed; }
td { width: 1.9rem; min-width: 1.9rem; height: 1.6rem; border: 1px solid var(--line);
  text-align: center; font-size: .7rem; padding: 0; }
td.chosen { outline: 2px solid rgb(var(--mark)); outline-offset: -2px; }
"""

#: Weights below this are shown by their shade alone.
_WRITTEN_FROM = 0.1


@dataclass(frozen=True)
class AlignedLine:
    """One line of the page.

    Attributes:
        source: its words.
        target: the words of its translation.
        weights: for every word of the translation its attention to each word of the source.
        pairs: (source word, target word), the hard alignment.
        confidences: probability of every word of the translation.
        score: of the translation.
    """

    source: Sequence[str]
    target: Sequence[str]
    weights: Sequence[Sequence[float]]
    pairs: Sequence[tuple[int, int]]
    confidences: Sequence[float]
    score: float


def alignment_page(lines: Iterable[AlignedLine], *, title: str, note: str = "") -> Iterator[str]:
    """The page, piece by piece: for every line a heat map of its attention, rows are words of the translation.

    Cells are the darker the more attention; an outlined one is in the hard alignment. Words of the translation are
    underlined the more strongly the surer the model was. `note` is a sentence below the title.
    """
    yield (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{escape(title)}</h1>\n<p>{escape(note)}</p>\n"
    )
    for number, line in enumerate(lines, start=1):
        yield from _section(number, line)
    yield "</body></html>\n"


def _section(number: int, line: AlignedLine) -> Iterator[str]:
    words = " ".join(_word(*pair) for pair in zip(line.target, line.confidences, strict=True))
    yield (
        f"<section><h2>{number}. {escape(' '.join(line.source))}</h2>\n"
        f'<p class="translation">{words} <span class="score" style="border: 0">{line.score:.3f}</span></p>\n'
    )
    if line.weights:
        heads = "".join(f'<th class="source" scope="col"><div>{escape(word)}</div></th>' for word in line.source)
        yield f"<table><thead><tr><th></th>{heads}</tr></thead><tbody>\n"
        chosen = set(line.pairs)
        for target, (word, row) in enumerate(zip(line.target, line.weights, strict=True)):
            cells = "".join(_cell(weight, (source, target) in chosen) for source, weight in enumerate(row))
            yield f'<tr><th class="target" scope="row">{escape(word)}</th>{cells}</tr>\n'
        yield "</tbody></table>"
    yield "</section>\n"


def _word(word: str, confidence: float) -> str:
    border = f"border-color: rgba(var(--mark), {confidence:.2f})"
    return f'<span style="{border}" title="{confidence:.3f}">{escape(word)}</span>'


def _cell(weight: float, chosen: bool) -> str:
    shown = f"{weight:.2f}".removeprefix("0") if weight >= _WRITTEN_FROM else ""
    mark = ' class="chosen"' if chosen else ""
    shade = f"background: rgba(var(--mark), {0.75 * min(weight, 1.0):.3f})"
    return f'<td{mark} style="{shade}" title="{weight:.4f}">{shown}</td>'
