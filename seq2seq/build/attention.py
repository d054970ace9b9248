"""Attentions by their name."""

from __future__ import annotations

from seq2seq.nn.attention import (
    AdditiveAttention,
    Attention,
    ConcatAttention,
    CoverageAttention,
    DotAttention,
    GeneralAttention,
    HardAttention,
    LocalMonotonicAttention,
    LocalPredictiveAttention,
    LocationAttention,
    MultiheadAdditiveAttention,
    MultiheadAttention,
    NormalizedAdditiveAttention,
    ScaledDotAttention,
    SummaryAttention,
)
from seq2seq.recipe import Attention as AttentionSection


def build_attention(section: AttentionSection, *, query_size: int, value_size: int) -> Attention | None:
    """The attention of a recipe, over values of `value_size` for queries of `query_size`; None without one."""
    size = section.size or query_size
    dropout = section.dropout
    match section.type:
        case "none":
            return None
        case "summary":
            return SummaryAttention(value_size=value_size)
        case "additive":
            return AdditiveAttention(query_size=query_size, value_size=value_size, size=size, dropout=dropout)
        case "normalized-additive":
            return NormalizedAdditiveAttention(query_size=query_size, value_size=value_size, size=size, dropout=dropout)
        case "dot":
            return DotAttention(value_size=value_size, dropout=dropout)
        case "scaled-dot":
            return ScaledDotAttention(value_size=value_size, dropout=dropout)
        case "general":
            return GeneralAttention(query_size=query_size, value_size=value_size, dropout=dropout)
        case "concat":
            return ConcatAttention(query_size=query_size, value_size=value_size, size=size, dropout=dropout)
        case "multihead":
            return MultiheadAttention(
                query_size=query_size, value_size=value_size, size=size, heads=section.heads, dropout=dropout
            )
        case "multihead-additive":
            return MultiheadAdditiveAttention(
                query_size=query_size, value_size=value_size, size=size, heads=section.heads, dropout=dropout
            )
        case "local-m":
            return LocalMonotonicAttention(
                query_size=query_size,
                value_size=value_size,
                size=size,
                score=section.score,
                window=section.window,
                dropout=dropout,
            )
        case "local-p":
            return LocalPredictiveAttention(
                query_size=query_size,
                value_size=value_size,
                size=size,
                score=section.score,
                window=section.window,
                dropout=dropout,
            )
        case "location":
            return LocationAttention(
                query_size=query_size,
                value_size=value_size,
                size=size,
                filters=section.location_filters,
                width=section.location_width,
                dropout=dropout,
            )
        case "coverage":
            return CoverageAttention(
                query_size=query_size, value_size=value_size, size=size, fertility=section.fertility, dropout=dropout
            )
        case "hard":
            return HardAttention(query_size=query_size, value_size=value_size, size=size)
