"""The tokenizer: text to ids of subword pieces and back, by SentencePiece (Kudo and Richardson 2018)."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import sentencepiece

from seq2seq.errors import TokenizerError
from seq2seq.text.tokenizer_training import Algorithm, Normalization, train_model

if TYPE_CHECKING:
    from seq2seq.text.sampling import Sampler

__all__ = ["Algorithm", "Normalization", "Tokenizer"]

#: Lists shorter than this are encoded faster without a pool of threads.
_THREADED_FROM = 2_000


@final
class Tokenizer:
    """A SentencePiece model: text to ids without BOS and EOS, and ids back to text.

    It is immutable and may be used from several threads. Models trained by :meth:`train` have pad 0, unk 1, bos 2 and
    eos 3. Models made elsewhere may have other ids; one without a pad piece pads with its EOS, since lengths and not
    pieces tell what is real.
    """

    def __init__(self, *, model: bytes, name: str = "the tokenizer") -> None:
        """Take a serialized model; `name` is how errors call it. Raises TokenizerError when it cannot be used."""
        self._model = model
        self._sampler: Sampler | None = None
        self._sampler_lock = threading.Lock()
        self._processor: Any = sentencepiece.SentencePieceProcessor()
        try:
            self._processor.LoadFromSerializedProto(model)
        except RuntimeError:
            raise TokenizerError(f"{name} is not a SentencePiece model, or is damaged") from None
        self.vocabulary_size: int = self._processor.GetPieceSize()
        self.unk_id: int = self._processor.unk_id()
        self.bos_id: int = self._processor.bos_id()
        self.eos_id: int = self._processor.eos_id()
        for piece, number in (("BOS", self.bos_id), ("EOS", self.eos_id)):
            if number < 0:
                raise TokenizerError(
                    f"{name} has no {piece} piece, which translation needs; train it without --{piece.lower()}_id=-1"
                )
        pad_id: int = self._processor.pad_id()
        self.pad_id = pad_id if pad_id >= 0 else self.eos_id

    @classmethod
    def train(
        cls,
        sentences: Iterable[str],
        *,
        algorithm: Algorithm,
        vocabulary_size: int,
        byte_fallback: bool = False,
        character_coverage: float = 1.0,
        normalization: Normalization = "nmt_nfkc",
        training_sentences: int = 2_000_000,
        seed: int = 1,
        size_key: str = "vocabulary_size",
    ) -> Tokenizer:
        """Train a model on at most `training_sentences` of the sentences, drawn by `seed`.

        The same sentences and arguments give the same model. `vocabulary_size` counts the special pieces (and the 256
        bytes of `byte_fallback`); the algorithms `char` and `word` take it as a maximum. Raises TokenizerError when the
        text cannot fill or does not fit into the vocabulary; `size_key` is the recipe's key of its size.
        """
        model = train_model(
            sentences,
            algorithm=algorithm,
            vocabulary_size=vocabulary_size,
            byte_fallback=byte_fallback,
            character_coverage=character_coverage,
            normalization=normalization,
            training_sentences=training_sentences,
            seed=seed,
            size_key=size_key,
        )
        return cls(model=model)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tokenizer:
        """Read a model file. Raises TokenizerError naming the path when that fails."""
        try:
            model = Path(path).read_bytes()
        except FileNotFoundError:
            raise TokenizerError(f"the tokenizer {path} does not exist") from None
        except IsADirectoryError:
            raise TokenizerError(f"the tokenizer {path} is a folder; name the SentencePiece model file in it") from None
        except OSError as error:
            raise TokenizerError(f"cannot read the tokenizer {path}: {error.strerror}") from None
        return cls(model=model, name=f"the tokenizer {path}")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file, as it was trained or read, byte for byte."""
        Path(path).write_bytes(self._model)

    @classmethod
    def from_bytes(cls, model: bytes) -> Tokenizer:
        """Make a tokenizer of what :meth:`to_bytes` gave."""
        return cls(model=model)

    def to_bytes(self) -> bytes:
        """The serialized model."""
        return self._model

    def __reduce__(self) -> tuple[Callable[[bytes], Tokenizer], tuple[bytes]]:
        return Tokenizer.from_bytes, (self._model,)  # so that it can be sent to another process

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the model, in hexadecimal digits."""
        return hashlib.sha256(self._model).hexdigest()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of every text by its best segmentation, without BOS and EOS; an empty or blank text has none.

        Any string is accepted: NUL and control characters are characters like others, and a lone surrogate, which is
        no character, counts as U+FFFD. Long lists use all processors.
        """
        if len(texts) >= _THREADED_FROM:
            return self._encode_together(list(texts))
        # One by one: a list, however short, is encoded by a pool of threads, which takes longer to start than to work.
        return [list(self._processor.Encode(_without_surrogates(text))) for text in texts]

    def encode_one(self, text: str) -> list[int]:
        """Ids of one text, without BOS and EOS."""
        return self.encode([text])[0]

    def sample(self, texts: Sequence[str], *, alpha: float, nbest_size: int = -1, seed: int) -> list[list[int]]:
        """Ids of every text by a random segmentation, the same for the same texts and seed in every process.

        unigram: drawn with probability p^alpha from the `nbest_size` best segmentations, or from all with -1 (Kudo
        2018); 0 and 1 leave the best. bpe: every merge is dropped with probability alpha, and `nbest_size` is ignored
        (Provilkov 2020). Raises TokenizerError for a model of another algorithm.
        """
        if nbest_size in (0, 1):
            return self.encode(texts)
        from seq2seq.text.sampling import Sampler

        with self._sampler_lock:
            if self._sampler is None:
                self._sampler = Sampler(processor=self._processor, model=self._model)
        return self._sampler.sample(
            [_without_surrogates(text) for text in texts], alpha=alpha, nbest_size=nbest_size, seed=seed
        )

    def segmentations(self, text: str, count: int) -> list[list[int]]:
        """At most `count` ways to write a text in pieces, as ids, the best first; most algorithms know of one alone.

        Other than the best, only `unigram` has them. A blank text has none.
        """
        best = self.encode_one(text)
        if not best:
            return []
        try:
            ranked = self._processor.NBestEncodeAsIds(_without_surrogates(text), count)
        except RuntimeError:  # the model is of another algorithm
            return [best]
        return [list(ids) for ids in dict.fromkeys([tuple(best), *(tuple(ids) for ids in ranked)])][:count]

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Text of every sequence, always one line: a line break spelled in bytes becomes a space.

        BOS, EOS and padding vanish; an id that the vocabulary does not have reads as the unknown piece.
        """
        known = [[int(number) if 0 <= number < self.vocabulary_size else self.unk_id for number in row] for row in ids]
        if not known:
            return []
        return [self._processor.Decode(row).replace("\n", " ") if row else "" for row in known]  # as encode does

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The written form of every id; `▁` marks the start of a word."""
        unknown = self.unk_id
        return [
            str(self._processor.IdToPiece(number if 0 <= number < self.vocabulary_size else unknown)) for number in ids
        ]

    def ids_of_pieces(self, pieces: Sequence[str]) -> list[int]:
        """The id of every written form; one that the vocabulary does not have is the unknown piece."""
        return [int(self._processor.PieceToId(piece)) for piece in pieces]

    def words_of_pieces(self, text: str) -> tuple[list[int], list[str], list[int]]:
        """Ids, pieces, and for every piece the index in `text.split()` of the word it stands for.

        A piece of nothing but a space belongs to the word that follows it; what stands after the last word belongs to
        that. Text without words, if it has pieces at all, gives index 0.
        """
        text = _without_surrogates(text)
        found = self._processor.Encode(text, return_type="offset_mapping")
        ids = [int(number) for number in found["ids"]]
        word_at = _word_at_each_position(text)
        words = [word_at[begin] for begin, _ in found["offsets"]]
        return ids, self.pieces(ids), words

    def _encode_together(self, texts: list[str]) -> list[list[int]]:
        """Ids of many texts, with all processors."""
        try:
            encoded: list[list[int]] = self._processor.Encode(texts, num_threads=-1)
        except (RuntimeError, TypeError, ValueError):  # which one, for a lone surrogate, depends on its version
            clean = [_without_surrogates(text) for text in texts]
            if clean == texts:
                raise
            encoded = self._processor.Encode(clean, num_threads=-1)
        return encoded


def _without_surrogates(text: str) -> str:
    """The text with U+FFFD for every lone surrogate, which UTF-8 cannot spell."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _word_at_each_position(text: str) -> list[int]:
    """For every position of the text, its end included, the index of the word there or else of the next one."""
    positions: list[int] = []
    word, inside = -1, False
    for character in text:
        if character.isspace():
            inside = False
            positions.append(word + 1)
        else:
            word += 0 if inside else 1
            inside = True
            positions.append(word)
    last = max(word, 0)
    return [min(index, last) for index in positions] + [last]
