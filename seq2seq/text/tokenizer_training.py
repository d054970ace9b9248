"""Training of a SentencePiece model, with its complaints put into words that name what to change."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Literal

import numpy
import sentencepiece

from seq2seq.errors import TokenizerError

Algorithm = Literal["unigram", "bpe", "char", "word"]
Normalization = Literal["nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity"]

#: SentencePiece divides its sums by threads, and a sum's last bits depend on the division: the number must not vary.
_THREADS = 16
#: Bytes of the longest sentence that is learned from; a longer one adds little and costs much.
_LONGEST_SENTENCE = 16_384


def train_model(
    sentences: Iterable[str],
    *,
    algorithm: Algorithm,
    vocabulary_size: int,
    byte_fallback: bool,
    character_coverage: float,
    normalization: Normalization,
    training_sentences: int,
    seed: int,
    size_key: str,
) -> bytes:
    """Train a model and give it serialized; see :meth:`seq2seq.text.tokenizer.Tokenizer.train`."""
    # An error while reading must arrive as it is. SentencePiece would wrap what its iterator raises, and would draw its
    # own sample from a generator whose state depends on what the process did before; so both happen here.
    drawn = _draw(sentences, number=training_sentences, seed=seed)
    if not drawn:
        raise TokenizerError("the tokenizer cannot be trained: the training text has no words")
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(drawn),
            model_writer=model,
            model_type=algorithm,
            vocab_size=vocabulary_size,
            # As with characters, a text of fewer words gives fewer pieces.
            hard_vocab_limit=algorithm != "word",
            byte_fallback=byte_fallback,
            character_coverage=character_coverage,
            normalization_rule_name=normalization,
            max_sentence_length=_LONGEST_SENTENCE,
            num_threads=_THREADS,
            pad_id=0,
            unk_id=1,
            bos_id=2,
            eos_id=3,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise TokenizerError(
            _in_words(str(error), size=f"tokenizer.{size_key} is {vocabulary_size}", algorithm=algorithm)
        ) from None
    return model.getvalue()


def _draw(sentences: Iterable[str], *, number: int, seed: int) -> list[str]:
    """At most `number` sentences that are not blank, every one equally likely, in a fixed order.

    Reservoir sampling (Vitter 1985, algorithm R): sentence n, counted from 0, takes a random place among n + 1 and is
    kept if that place lies within the reservoir.
    """
    generator = numpy.random.Generator(numpy.random.PCG64([seed, 0x70C5]))
    drawn: list[str] = []
    places: list[int] = []
    seen = 0
    for sentence in sentences:
        if not sentence or sentence.isspace():
            continue
        if seen < number:
            drawn.append(_trainable(sentence))
        else:
            if not places:
                highs = numpy.arange(seen + 1, seen + 1 + 8192)
                places = generator.integers(0, highs)[::-1].tolist()
            place = places.pop()
            if place < number:
                drawn[place] = _trainable(sentence)
        seen += 1
    return drawn


def _trainable(sentence: str) -> str:
    """The sentence as SentencePiece takes it: one line, without NUL and without lone surrogates."""
    clean = sentence.replace("\n", " ").replace("\0", " ")
    return clean if clean.isascii() else clean.encode("utf-8", "replace").decode("utf-8")


def _in_words(complaint: str, *, size: str, algorithm: Algorithm) -> str:
    """One sentence for the user, made of SentencePiece's message; `size` says what the vocabulary's size is."""
    too_many = re.search(r"Please set it to a value <= (\d+)", complaint)
    if too_many:
        return (
            f"{size}, but the training text supports at most "
            f"{too_many[1]} {algorithm} pieces; set it to {too_many[1]} or less, or train on more text"
        )
    too_few = re.search(r"smaller than required_chars\. \d+ vs (\d+)", complaint)
    if too_few:
        return (
            f"{size}, but the characters of the training text and the special "
            f"pieces alone need {too_few[1]}; set it to more than {too_few[1]}, or lower tokenizer.character_coverage"
        )
    if "sentences_.empty()" in complaint:
        return "the tokenizer cannot be trained: the training text has no words, or only sentences of more than 16 KiB"
    reason = re.sub(r"^\w+: \S+\(\d+\) ", "", complaint.strip()).strip() or complaint.strip()
    return f"the tokenizer cannot be trained with algorithm {algorithm}, where {size}: SentencePiece says {reason}"
