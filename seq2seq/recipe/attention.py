"""The `model.attention` section: how the decoder looks at the source, and where what it sees goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, get_args

from pydantic import Field

from seq2seq.recipe.section import Contradiction, Positive, Probability, Rule, Section, only_with

AttentionName = Literal[
    "none",
    "summary",
    "additive",
    "normalized-additive",
    "dot",
    "scaled-dot",
    "general",
    "concat",
    "multihead",
    "multihead-additive",
    "local-m",
    "local-p",
    "location",
    "coverage",
    "hard",
]
ContextName = Literal["none", "output", "upper-layers", "input-feeding", "previous-state", "conditional"]
ScoreName = Literal["dot", "general", "concat"]

#: Attentions whose queries and keys are projected to a width of their own.
_SIZED = [name for name in get_args(AttentionName) if name not in ("none", "summary", "dot", "scaled-dot", "general")]
#: Attentions with weights to drop; a hard one has a single weight.
_WEIGHING = [name for name in get_args(AttentionName) if name not in ("none", "summary", "hard")]


def _size_is_used(attention: Attention) -> Iterator[Contradiction]:
    if attention.type == "local-m" and attention.score != "concat" and attention.size is not None:
        yield Contradiction(
            ("size", "score"),
            f"has no effect with type local-m and score {attention.score}, only with score concat; remove it",
        )


class Attention(Section):
    """How the decoder looks at the source, and where what it sees goes."""

    rules: ClassVar[tuple[Rule, ...]] = (_size_is_used,)

    type: AttentionName = Field(
        default="general",
        description="none; summary (the encoder's last output at every step, Cho 2014); additive (Bahdanau 2015); "
        "normalized-additive (with weight normalisation, GNMT); dot, general, concat (Luong 2015); scaled-dot; "
        "multihead (scaled dot, Vaswani 2017); multihead-additive (Chen 2018); local-m, local-p (a window, Luong "
        "2015); location (Chorowski 2015); coverage (Tu 2016); hard (one position, trained by REINFORCE, Xu 2015).",
    )
    context: ContextName = Field(
        default="output",
        description="Where the context goes: none (with type none); output (combined with the decoder's output, Luong "
        "2015 without feeding); upper-layers (into every layer above the first, GNMT); input-feeding (fed back to the "
        "next step, Luong 2015); previous-state (the state before a step attends, and every layer reads the context, "
        "Bahdanau 2015, RNMT+); conditional (between the two cells of the first layer, Nematus).",
    )
    size: Positive | None = Field(
        default=None,
        description="Width of queries and keys; by default the decoder's width.",
        json_schema_extra=only_with("type", *_SIZED),
    )
    heads: Positive = Field(
        default=4, description="Heads.", json_schema_extra=only_with("type", "multihead", "multihead-additive")
    )
    score: ScoreName = Field(
        default="general",
        description="Score inside the window.",
        json_schema_extra=only_with("type", "local-m", "local-p"),
    )
    window: Positive = Field(
        default=10,
        description="Positions to each side of the window's centre.",
        json_schema_extra=only_with("type", "local-m", "local-p"),
    )
    location_filters: Positive = Field(
        default=10,
        description="Filters of the convolution over the last step's weights.",
        json_schema_extra=only_with("type", "location"),
    )
    location_width: Positive = Field(
        default=15,
        description="Positions that a filter covers.",
        json_schema_extra=only_with("type", "location"),
    )
    fertility: float = Field(
        default=2.0,
        gt=0.0,
        description="Largest fertility of a source position.",
        json_schema_extra=only_with("type", "coverage"),
    )
    reward_weight: float = Field(
        default=1.0,
        gt=0.0,
        description="Weight of the reward in the gradient of the choice.",
        json_schema_extra=only_with("type", "hard"),
    )
    entropy_weight: float = Field(
        default=0.002,
        ge=0.0,
        description="Weight of the entropy of the choice, which keeps it from settling too soon.",
        json_schema_extra=only_with("type", "hard"),
    )
    dropout: Probability = Field(
        default=0.0,
        description="Dropout on the attention weights.",
        json_schema_extra=only_with("type", *_WEIGHING),
    )
