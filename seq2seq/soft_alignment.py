"""What a model looks at while it translates: its attention weights between two sentences, with labels to draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import torch
from numpy.typing import NDArray

from seq2seq.data.batch import make_source
from seq2seq.errors import ModelError, UsageError
from seq2seq.plots.alignment import END, SoftAlignment, by_words, written_pieces
from seq2seq.text.alignment import words_of_prefixes
from seq2seq.translation import Translation
from seq2seq.translator import Translator

#: Pieces of a side beyond which nobody could read the picture.
LONGEST = 200


@torch.no_grad()
def attention_weights(translator: Translator, source: Sequence[int], target: Sequence[int]) -> NDArray[numpy.float64]:
    """Weights of every target position, teacher-forced: [target pieces and the end, source pieces and the end].

    The steps are those of a search, so that every kind of attention, with or without a memory of its own, gives what it
    would give while translating.

    Raises:
        ModelError: the model weighs no source positions.
    """
    model, tokenizer = translator.model, translator.source_tokenizer
    ids, lengths = make_source([source], eos_id=tokenizer.eos_id, pad_id=tokenizer.pad_id)
    state = model.start(ids.to(translator.device), lengths.to(translator.device))
    rows = []
    for token in (translator.target_tokenizer.bos_id, *target):
        _, state, weights = model.step(torch.tensor([token], device=translator.device), state)
        if weights is None:
            raise ModelError("the model has no attention that weighs source positions, so there is nothing to draw")
        rows.append(weights[0])
    return torch.stack(rows).double().cpu().numpy()


def align(
    translator: Translator, sentence: str, *, target: str | None = None, beam: int | None = None, words: bool = False
) -> SoftAlignment:
    """The soft alignment of a sentence and its translation, or the given `target`; between pieces or `words`.

    Raises:
        UsageError: there is nothing to align, or more than a picture holds.
        ModelError: the model weighs no source positions.
    """
    _check_length("the sentence", len(translator.source_tokenizer.encode_one(sentence)))
    if target is not None:
        target_ids = translator.target_tokenizer.encode_one(target)
        _check_length("the target", len(target_ids))
        return _between(translator, sentence, target_ids, finished=True, words=words)
    if not translator.has_attention:
        raise ModelError("the model has no attention, so there is nothing to draw")
    translation = translator.translate(sentence, beam=beam, long_input="error", alignment=False)
    return align_translation(translator, sentence, translation, words=words)


def align_translation(
    translator: Translator, sentence: str, translation: Translation, *, words: bool = False
) -> SoftAlignment:
    """The soft alignment of a sentence and a translation that the same model has made of it; as :func:`align`."""
    _check_length("the sentence", len(translator.source_tokenizer.encode_one(sentence)))
    _check_length("the translation", len(translation.pieces))
    target_ids = translator.target_tokenizer.ids_of_pieces(translation.pieces)
    return _between(translator, sentence, target_ids, finished=translation.finished, words=words)


def _between(
    translator: Translator, sentence: str, target_ids: Sequence[int], *, finished: bool, words: bool
) -> SoftAlignment:
    source_ids, source_pieces, source_words = translator.source_tokenizer.words_of_pieces(sentence)
    weights = attention_weights(translator, source_ids, target_ids)
    tokenizer = translator.target_tokenizer
    pieces = tokenizer.pieces(target_ids)
    prefixes = tokenizer.decode([target_ids[:end] for end in range(1, len(target_ids) + 1)])
    text = prefixes[-1]
    target_words = words_of_prefixes(prefixes, pieces, words=max(1, len(text.split())))
    ends = [END] if finished else []  # A translation that was cut off never predicted its end.
    alignment = SoftAlignment(
        source=(*written_pieces(source_pieces), END),
        target=(*written_pieces(pieces), *ends),
        weights=weights[: len(pieces) + len(ends)],
        source_words=(*source_words, max(source_words) + 1),
        target_words=(*target_words, *(max(target_words) + 1 for _ in ends)),
    )
    if words:
        return by_words(alignment, [*(sentence.split() or [sentence]), END], [*(text.split() or [text]), *ends])
    return alignment


def _check_length(what: str, pieces: int) -> None:
    if pieces == 0:
        raise UsageError(f"{what} is empty, so there is nothing to align")
    if pieces > LONGEST:
        raise UsageError(f"{what} has {pieces} pieces, more than the {LONGEST} that a picture holds; shorten it")
