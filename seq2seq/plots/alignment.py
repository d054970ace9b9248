"""The soft alignment of a translation, as Bahdanau et al. 2015 draw it (figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy
from numpy.typing import NDArray

from seq2seq.plots.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: How the end of a sentence, which is a piece like others, is written.
END = "</s>"
#: SentencePiece's mark of a space.
_SPACE = "▁"
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
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xticks(
        numpy.arange(columns) + 0.5, _plain(alignment.source), rotation=55, ha="left", rotation_mode="anchor", size=size
    )
    axes.set_yticks(numpy.arange(rows) + 0.5, _plain(alignment.target), size=size)
    axes.tick_params(length=0, pad=3)
    axes.set_xlabel("source", color="#666666", size=9, labelpad=6)
    axes.set_ylabel("target", color="#666666", size=9, labelpad=6)
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
        axes.set_title(_plain([alignment.title])[0], size=11, weight="normal", color="#444444", pad=10)
    return figure


def _word_starts(words: Sequence[int]) -> list[int]:
    return [place for place in range(1, len(words)) if words[place] != words[place - 1]]


def _plain(labels: Sequence[str]) -> list[str]:
    """Labels in which a dollar sign is one, not the beginning of a formula."""
    return [label.replace("$", r"\$") for label in labels]
