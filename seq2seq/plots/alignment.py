"""The soft alignment of a translation, as Bahdanau et al. 2015 draw it (figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray

from seq2seq.plots.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: How the end of a sentence, which is a piece like others, is written.
END = "</s>"
#: SentencePiece's mark of a space.
_SPACE = "▁"
_INK = "#444444"
#: Marks a piece that continues a word.
_CONTINUED = "‿"


@dataclass(frozen=True)
class SoftAlignment:
    """Attention weights with what they are between.

    Attributes:
        source: labels of the columns.
        target: labels of the rows.
        weights: [target, source]; what a row leaves of 1 went to nothing that is shown.
        source_words, target_words: of every label, the number of its word; neighbours of one word stand together.
        title: one line above it all.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: NDArray[numpy.float64]
    source_words: tuple[int, ...]
    target_words: tuple[int, ...]
    title: str = ""


def written_pieces(pieces: Sequence[str]) -> tuple[str, ...]:
    """Pieces as people read them: `▁station s` is `station ‿s`, and a lone space is `␣`."""
    labels = []
    begins = True  # The first piece has no mark in vocabularies without one.
    for piece in pieces:
        text = piece.replace(_SPACE, " ").strip()
        if piece == END:
            labels.append(END)
        elif not text:
            labels.append("␣")
        elif piece.startswith(_SPACE) or begins or not text[0].isalnum():
            labels.append(text)
        else:
            labels.append(_CONTINUED + text)
        begins = not text
    return tuple(labels)


def by_words(alignment: SoftAlignment, source: Sequence[str], target: Sequence[str]) -> SoftAlignment:
    """The alignment between words: weights summed over a source word's pieces, their mean over a target word's.

    `source` and `target` are the words, to which `source_words` and `target_words` point.
    """
    rows, columns = alignment.target_words, alignment.source_words
    summed = numpy.zeros((len(target), len(source)))
    numpy.add.at(summed, numpy.ix_(rows, columns), alignment.weights)
    pieces = numpy.bincount(rows, minlength=len(target))
    return SoftAlignment(
        source=tuple(source),
        target=tuple(target),
        weights=summed / numpy.maximum(pieces, 1)[:, None],
        source_words=tuple(range(len(source))),
        target_words=tuple(range(len(target))),
        title=alignment.title,
    )


def draw_alignment(alignment: SoftAlignment) -> Figure:
    """Source along the top, target down the side, darker where the weight is larger; words apart by white lines."""
    columns, rows = len(alignment.source), len(alignment.target)
    cell = min(0.42, 24.0 / max(rows, columns))  # inches; a long sentence has smaller cells, not a larger wall
    size = max(4.0, min(12.0, 27.0 * cell))
    # The axes fill the figure, and saving makes room around them for the labels: cells have their size at any length.
    figure = new_figure(columns * cell, rows * cell, tight=True)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    mesh = axes.pcolormesh(
        numpy.arange(columns + 1), numpy.arange(rows + 1), alignment.weights, cmap="Blues", vmin=0.0, vmax=1.0
    )
    axes.set_aspect("equal")
    axes.invert_yaxis()
    # Labels are texts in inches from the cells: ticks would take matplotlib twice as long.
    axes.xaxis.set_visible(False)
    axes.yaxis.set_visible(False)
    above, beside = axes.get_xaxis_transform(), axes.get_yaxis_transform()
    for place, label in enumerate(_plain(alignment.source)):
        axes.text(
            place + 0.5, 1.0 + 0.06 / (rows * cell), label, size=size, color=_INK, transform=above,
            rotation=55, rotation_mode="anchor", ha="left", va="center",
        )  # fmt: skip
    longest = max(len(label) for label in alignment.source) * size * 0.5 / 72  # inches, about
    middle: dict[str, Any] = {
        "color": "#666666",
        "size": 9,
        "transform": axes.transAxes,
        "ha": "center",
        "va": "center",
    }
    axes.text(0.5, 1.0 + (0.3 + longest) / (rows * cell), "source", **middle)
    for place, label in enumerate(_plain(alignment.target)):
        axes.text(
            -0.06 / (columns * cell), place + 0.5, label, size=size, color=_INK, transform=beside, ha="right",
            va="center",
        )  # fmt: skip
    longest = max(len(label) for label in alignment.target) * size * 0.62 / 72
    axes.text(-(0.25 + longest) / (columns * cell), 0.5, "target", rotation=90, **middle)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color("#BBBBBB")
    axes.vlines(range(1, columns), 0, rows, colors="#EDEDED", linewidths=0.5)
    axes.hlines(range(1, rows), 0, columns, colors="#EDEDED", linewidths=0.5)
    axes.vlines(_word_starts(alignment.source_words), 0, rows, colors="#BBBBBB", linewidths=0.9)
    axes.hlines(_word_starts(alignment.target_words), 0, columns, colors="#BBBBBB", linewidths=0.9)
    shade = axes.inset_axes((1.0 + 0.2 / (columns * cell), 0.0, 0.16 / (columns * cell), 1.0))
    colours = figure.colorbar(mesh, cax=shade, ticks=[0.0, 0.25, 0.5, 0.75, 1.0])
    colours.ax.tick_params(labelsize=8, length=2)
    colours.outline.set_edgecolor("#BBBBBB")
    colours.set_label("attention weight" if rows > 5 else "weight", size=9, color="#666666")
    if alignment.title:
        longest = max(len(label) for label in alignment.source) * size * 0.5 / 72
        axes.text(
            0.0, 1.0 + (0.55 + longest) / (rows * cell), _plain([alignment.title])[0], size=11, color="#444444",
            transform=axes.transAxes,
        )  # fmt: skip
    return figure


def _word_starts(words: Sequence[int]) -> list[int]:
    return [place for place in range(1, len(words)) if words[place] != words[place - 1]]


def _plain(labels: Sequence[str]) -> list[str]:
    """Labels in which a dollar sign is one, not the beginning of a formula."""
    return [label.replace("$", r"\$") for label in labels]
