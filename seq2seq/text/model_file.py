"""What a SentencePiece model file says: its pieces with scores and kinds, and the algorithm.

The file is a Protocol Buffers message, and a few of its fields are all that is needed: reading them here spares a
dependency on that library and on the version that somebody's bindings were made for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

#: Kinds of piece, by their numbers in the file.
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)

#: How a field is stored.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
#: Numbers of fields: of the model, of a piece, of the trainer's settings.
_MODEL_PIECE, _MODEL_TRAINER = 1, 2
_PIECE_TEXT, _PIECE_SCORE, _PIECE_KIND = 1, 2, 3
_TRAINER_ALGORITHM, _TRAINER_BYTE_FALLBACK = 3, 35
_ALGORITHMS = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}


@dataclass(frozen=True)
class Piece:
    """A piece of the vocabulary; its id is its place there. score: its log-probability, or its rank among merges."""

    text: str
    score: float
    kind: int


@dataclass(frozen=True)
class ModelFile:
    """algorithm: unigram, bpe, word or char. byte_fallback: whether unknown characters are spelled in bytes."""

    pieces: tuple[Piece, ...]
    algorithm: str
    byte_fallback: bool


def read_model_file(model: bytes) -> ModelFile:
    """Read a serialized model that SentencePiece has loaded before, and that is therefore sound."""
    pieces: list[Piece] = []
    trainer = _Message()
    for number, value in _fields(model):
        if number == _MODEL_PIECE:
            piece = _Message.of(value)
            score = struct.unpack("<f", piece.data.get(_PIECE_SCORE, bytes(4)))[0]
            text = piece.data.get(_PIECE_TEXT, b"").decode("utf-8")
            pieces.append(Piece(text, score, piece.numbers.get(_PIECE_KIND, NORMAL)))
        elif number == _MODEL_TRAINER:
            trainer = _Message.of(value)
    algorithm = _ALGORITHMS.get(trainer.numbers.get(_TRAINER_ALGORITHM, 1), "unknown")
    return ModelFile(tuple(pieces), algorithm, bool(trainer.numbers.get(_TRAINER_BYTE_FALLBACK, 0)))


class _Message:
    """The last value of every field: numbers, and everything else as its bytes."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.data: dict[int, bytes] = {}

    @classmethod
    def of(cls, value: int | bytes) -> _Message:
        assert isinstance(value, bytes)
        message = cls()
        for number, field in _fields(value):
            if isinstance(field, int):
                message.numbers[number] = field
            else:
                message.data[number] = field
        return message


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of every field, in the order of the message."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        stored = tag & 7
        if stored == _VARINT:
            number, place = _varint(message, place)
            yield tag >> 3, number
            continue
        if stored == _BYTES:
            size, place = _varint(message, place)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}[stored]
        yield tag >> 3, message[place : place + size]
        place += size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """The number at a place, seven bits to a byte, lowest first; and the place behind it."""
    number = shift = 0
    while True:
        byte = message[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7
