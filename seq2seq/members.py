"""The members of an ensemble: several trained networks that translate together, each with the pieces that it reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seq2seq.data.batch import make_source
from seq2seq.device import activation_dtype
from seq2seq.errors import ModelError, UsageError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model.prepared import PreparedModel, prepare
from seq2seq.source_lines import Sentence
from seq2seq.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Member:
    """A network and its source's tokenizer."""

    model: EncoderDecoder
    source_tokenizer: Tokenizer

    def source(self, sentences: Sequence[Sentence], *, device: torch.device) -> tuple[Tensor, Tensor]:
        """The text of `sentences` in this member's own pieces: ids [batch, src_len] and lengths [batch]."""
        tokenizer = self.source_tokenizer
        ids = tokenizer.encode([sentence.text for sentence in sentences])
        source, lengths = make_source(ids, eos_id=tokenizer.eos_id, pad_id=tokenizer.pad_id)
        return source.to(device), lengths.to(device)

    def ready(self, *, dtype: torch.dtype, device: torch.device) -> EncoderDecoder | PreparedModel:
        """The network for a search that only reads it, in products of `dtype`: prepared where that can be had."""
        return prepare(self.model, dtype=dtype, wide=activation_dtype(dtype, device)) or self.model


def attending(members: Sequence[Member]) -> list[int]:
    """Places of the members whose attention is averaged: the first that has one, and those that read the same pieces.

    Attention over other pieces could not be added to it. Empty where no member has an attention.
    """
    able = [place for place, member in enumerate(members) if member.model.decoder.weighs_source]
    fingerprints = {place: members[place].source_tokenizer.fingerprint for place in able}
    return [place for place in able if fingerprints[place] == fingerprints[able[0]]]


def check_weights(weights: Sequence[float] | None, *, members: int) -> None:
    """Raise UsageError unless `weights`, where given, are one number above 0 for each of the members."""
    if weights is None:
        return
    if len(weights) != members:
        raise UsageError(f"there are {len(weights)} weights for {members} models; give one for each, in their order")
    for weight in weights:
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0.0 < weight < math.inf:
            raise UsageError(f"the weight of a model must be a number above 0, not {weight!r}")


def check_target_vocabulary(first: Tokenizer, other: Tokenizer, *, first_name: str, other_name: str) -> None:
    """Raise ModelError unless two target tokenizers have the same pieces under the same ids."""
    if first.fingerprint == other.fingerprint:
        return
    pieces, others = (tokenizer.pieces(range(tokenizer.vocabulary_size)) for tokenizer in (first, other))
    differing = [place for place, (mine, its) in enumerate(zip(pieces, others, strict=False)) if mine != its]
    if len(pieces) != len(others):
        how = f"{len(others)} pieces against {len(pieces)}"
    elif differing:
        how = f"piece {differing[0]} is {others[differing[0]]!r} against {pieces[differing[0]]!r}"
    elif _special(first) != _special(other):
        how = "its special pieces have other ids"
    else:
        return
    raise ModelError(
        f"{other_name}: has another target vocabulary than {first_name} ({how}), so the two cannot translate together; "
        "leave one of them out, or train both with the same tokenizer (tokenizer.source_model and target_model)"
    )


def _special(tokenizer: Tokenizer) -> tuple[int, ...]:
    return tokenizer.pad_id, tokenizer.unk_id, tokenizer.bos_id, tokenizer.eos_id
