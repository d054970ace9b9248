"""Search: from a model that scores the next token to the best hypotheses. Knows nothing but :class:`StepModel`."""

from __future__ import annotations

from seq2seq.search.beam import beam_search
from seq2seq.search.ensemble import Combination, Ensemble, EnsembleState
from seq2seq.search.greedy import greedy_search
from seq2seq.search.hypothesis import Hypothesis
from seq2seq.search.protocol import SearchState, StepModel, StepOutput

__all__ = [
    "Combination",
    "Ensemble",
    "EnsembleState",
    "Hypothesis",
    "SearchState",
    "StepModel",
    "StepOutput",
    "beam_search",
    "greedy_search",
]
