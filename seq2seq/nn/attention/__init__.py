"""Attention of decoder queries over an encoded source.

Every kind has the same calls: `remember`, once per source, computes what depends on the source alone;
`initial_state` begins the history of those whose steps depend on one another; and a call reads the memory for queries
[batch, n, query], with n = tgt_len in training (1 for a sequential kind), 1 in greedy search and beam in beam search.
"""

from seq2seq.nn.attention.additive import AdditiveAttention, ConcatAttention, NormalizedAdditiveAttention
from seq2seq.nn.attention.coverage import CoverageAttention
from seq2seq.nn.attention.dot import DotAttention, GeneralAttention, ScaledDotAttention
from seq2seq.nn.attention.hard import HardAttention
from seq2seq.nn.attention.local import LocalMonotonicAttention, LocalPredictiveAttention
from seq2seq.nn.attention.location import LocationAttention
from seq2seq.nn.attention.multihead import MultiheadAdditiveAttention, MultiheadAttention
from seq2seq.nn.attention.protocol import Attended, Attention, AttentionState, Choice, Memory
from seq2seq.nn.attention.summary import SummaryAttention

__all__ = [
    "AdditiveAttention",
    "Attended",
    "Attention",
    "AttentionState",
    "Choice",
    "ConcatAttention",
    "CoverageAttention",
    "DotAttention",
    "GeneralAttention",
    "HardAttention",
    "LocalMonotonicAttention",
    "LocalPredictiveAttention",
    "LocationAttention",
    "Memory",
    "MultiheadAdditiveAttention",
    "MultiheadAttention",
    "NormalizedAdditiveAttention",
    "ScaledDotAttention",
    "SummaryAttention",
]
