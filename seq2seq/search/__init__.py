"""Search: from a model that scores the next token to the best hypotheses. Knows nothing but :class:`StepModel`."""

from __future__ import annotations

from seq2seq.search.beam import beam_search
from seq2seq.search.constraints import Phrases
from seq2seq.search.ensemble import Combination, Ensemble, EnsembleState
from seq2seq.search.greedy import greedy_search
from seq2seq.search.hypothesis import Hypothesis
from seq2seq.search.narrowing import Narrowable, NarrowedModel, Narrowing, narrow_step
from seq2seq.search.protocol import SearchState, StepModel, StepOutput
from seq2seq.search.recorded import RecordedSearch, can_record
from seq2seq.search.request import Diversity, Request, excluding
from seq2seq.search.rules import Rules, phrases_of, prefixes_of
from seq2seq.search.sampling import Draws, sample
from seq2seq.search.scoring import Normalization, Scoring
from seq2seq.search.truncation import Truncation

__all__ = [
    "Combination",
    "Diversity",
    "Draws",
    "Ensemble",
    "EnsembleState",
    "Hypothesis",
    "Narrowable",
    "NarrowedModel",
    "Narrowing",
    "Normalization",
    "Phrases",
    "RecordedSearch",
    "Request",
    "Rules",
    "Scoring",
    "SearchState",
    "StepModel",
    "StepOutput",
    "Truncation",
    "beam_search",
    "can_record",
    "excluding",
    "greedy_search",
    "narrow_step",
    "phrases_of",
    "prefixes_of",
    "sample",
]
