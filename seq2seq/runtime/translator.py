"""OnnxTranslator: lines in, translations out, by the graphs that `seq2seq-export --format onnx` writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final, overload

import numpy
from numpy.typing import NDArray

from seq2seq.errors import ModelError, UsageError
from seq2seq.runtime.beam import Arrays, Floats, Integers, Vocabulary, beam_search
from seq2seq.runtime.settings import (
    ENCODER,
    SOURCE_TOKENIZER,
    STEP,
    TARGET_TOKENIZER,
    Description,
    SearchSettings,
    read_description,
)
from seq2seq.text.sentences import Part, split_line, split_sentences
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation import joined_text


@final
class OnnxTranslator:
    """An exported model, ready to translate on onnxruntime. It holds no state of a call: threads may share it."""

    def __init__(
        self, *, encoder: Any, step: Any, source_tokenizer: Tokenizer, target_tokenizer: Tokenizer,
        description: Description,
    ) -> None:  # fmt: skip
        """Put it together; :meth:`load` is what callers want. `encoder` and `step` are onnxruntime's sessions."""
        self.settings = description.search
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self._encoder = encoder
        self._step = step
        self._memory, self._states = description.memory, description.states
        self._encoder_inputs = {each.name for each in encoder.get_inputs()}
        self._encoder_outputs = [name for name in (*self._memory, *self._states) if name != "source"]
        self._step_outputs = ["log_probs", *(f"next_{name}" for name in self._states)]
        self._weighs_source = any(each.name == "attention" for each in step.get_outputs())
        self._vocabulary = Vocabulary.of(target_tokenizer)

    @classmethod
    def load(
        cls, directory: str | Path, *, threads: int | None = None, providers: Sequence[str] = ("CPUExecutionProvider",)
    ) -> OnnxTranslator:
        """Load what `seq2seq-export --format onnx` wrote.

        Args:
            directory: the folder.
            threads: of the CPU; by default what onnxruntime takes.
            providers: where onnxruntime is to compute, in its own words, the first that can do it.

        Raises:
            ModelError: the folder is no exported model, is incomplete or damaged, or of a newer format.
            UsageError: onnxruntime is not installed, or a value cannot be used.
        """
        directory = Path(directory)
        if threads is not None and threads < 1:
            raise UsageError(f"threads must be a whole number of 1 or more, not {threads!r}")
        description = read_description(directory)
        files = {name: _content(directory, name, digest) for name, digest in description.files.items()}
        target = SOURCE_TOKENIZER if description.joint else TARGET_TOKENIZER
        for name in (ENCODER, STEP, SOURCE_TOKENIZER, target):
            if name not in files:
                raise ModelError(f"{directory}: the description names no {name}; export the model again")
        sessions = [_session(files[name], directory / name, threads, providers) for name in (ENCODER, STEP)]
        return cls(
            encoder=sessions[0],
            step=sessions[1],
            source_tokenizer=_tokenizer(files[SOURCE_TOKENIZER], directory / SOURCE_TOKENIZER),
            target_tokenizer=_tokenizer(files[target], directory / target),
            description=description,
        )

    @overload
    def translate(self, text: str, **settings: Any) -> str: ...

    @overload
    def translate(self, text: list[str] | tuple[str, ...], **settings: Any) -> list[str]: ...

    def translate(self, text: str | list[str] | tuple[str, ...], **settings: Any) -> str | list[str]:
        """Translate one line, or a list of them.

        Args:
            text: a line, or a list of lines; an empty or blank one gives an empty translation.
            settings: `beam`, `length_penalty` and the other fields of
                :class:`~seq2seq.runtime.settings.SearchSettings`; those that are not given, or None, are as in the
                model's recipe.

        Returns:
            The translation of a line, a list of them for a list, in order.

        Raises:
            UsageError: a value cannot be used, or a line is too long and `long_input` is error.
        """
        lines = [text] if isinstance(text, str) else text
        translated = next(self.translate_chunks([lines], **settings))
        return translated[0] if isinstance(text, str) else translated

    def translate_chunks(self, chunks: Iterable[Sequence[str]], **settings: Any) -> Iterator[list[str]]:
        """Translate lists of lines one after the other, lazily; the settings are those of :meth:`translate`.

        The next chunk is asked for when the translations of the last one have been taken. Errors count lines from 1
        through all chunks.
        """
        chosen = replace(self.settings, **{name: value for name, value in settings.items() if value is not None})
        if chosen.coverage_penalty and not self._weighs_source:
            raise UsageError("the model has no attention, so there is no coverage; leave out coverage_penalty")
        return self._translate_chunks(chunks, chosen)

    def _translate_chunks(self, chunks: Iterable[Sequence[str]], settings: SearchSettings) -> Iterator[list[str]]:
        first = 1
        for lines in chunks:
            yield self._translate_lines(lines, settings, first=first)
            first += len(lines)

    def _translate_lines(self, lines: Sequence[str], settings: SearchSettings, *, first: int) -> list[str]:
        for number, line in enumerate(lines, start=first):
            if not isinstance(line, str):
                raise UsageError(f"line {number} is of type {type(line).__name__}, but a line must be text")
        wholes = [split_sentences(line) if settings.split_sentences else [Part(line, "")] for line in lines]
        encoded = iter(self.source_tokenizer.encode([part.text for whole in wholes for part in whole]))
        prepared = [
            [short for part in whole for short in self._short(part, next(encoded), settings, number)]
            for number, whole in enumerate(wholes, start=first)
        ]
        texts = iter(self._translate_ids([ids for shorts in prepared for _, ids in shorts], settings))
        translated = []
        for shorts in prepared:
            parts, found = [part for part, _ in shorts], [next(texts) for _ in shorts]
            whole = len(parts) == 1 and not parts[0].separator
            translated.append(found[0] if whole else joined_text(found, parts, keep_breaks=settings.split_sentences))
        return translated

    def _short(self, part: Part, ids: list[int], settings: SearchSettings, number: int) -> list[tuple[Part, list[int]]]:
        """A part of a line as it is, or where it is too long its own parts, or the first of them; with their pieces."""
        limit, encode = settings.max_input_pieces, self.source_tokenizer.encode
        if len(ids) <= limit:
            return [(part, ids)]
        if settings.long_input == "error":
            raise UsageError(
                f"line {number} has {len(ids)} pieces to be read at once, but the model reads at most {limit}; shorten "
                "it, raise max_input_pieces, or choose split or truncate for long input"
            )
        parts = split_line(part.text, count=lambda texts: [len(ids) for ids in encode(texts)], limit=limit)
        if settings.long_input == "truncate":
            parts = parts[:1]
        parts[-1] = Part(parts[-1].text, part.separator)
        return list(zip(parts, encode([each.text for each in parts]), strict=True))

    def _translate_ids(self, ids: Sequence[Sequence[int]], settings: SearchSettings) -> list[str]:
        """Translations of sentences in ids, in order; one without pieces has an empty one."""
        texts = [""] * len(ids)
        for batch in _batches(ids, settings.batch_size):
            found = self._search([ids[index] for index in batch], settings)
            for index, text in zip(batch, self.target_tokenizer.decode(found), strict=True):
                texts[index] = text
        return texts

    def _search(self, ids: Sequence[Sequence[int]], settings: SearchSettings) -> list[list[int]]:
        source, lengths = self._padded(ids)
        given = {"source": source, "source_lengths": lengths}
        outputs = self._encoder.run(
            self._encoder_outputs, {name: array for name, array in given.items() if name in self._encoder_inputs}
        )
        encoded = {"source": source, **dict(zip(self._encoder_outputs, outputs, strict=True))}
        weighs = bool(settings.coverage_penalty)
        names = [*self._step_outputs, *(["attention"] if weighs else [])]

        def step(tokens: Integers, memory: Arrays, states: Arrays) -> tuple[Floats, Arrays, Floats | None]:
            log_probs, *others = self._step.run(names, {"tokens": tokens, **memory, **states})
            following = dict(zip(self._states, others, strict=False))
            return log_probs, following, others[-1] if weighs else None

        return beam_search(
            step,
            memory={name: encoded[name] for name in self._memory},
            states={name: encoded[name] for name in self._states},
            lengths=lengths - 1,
            vocabulary=self._vocabulary,
            settings=settings,
        )

    def _padded(self, ids: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
        """Sources [sentences, longest + 1], every one with its end and then padding, and lengths that count the end."""
        tokenizer = self.source_tokenizer
        lengths = numpy.array([len(row) + 1 for row in ids], dtype=numpy.int64)
        source: NDArray[numpy.int64] = numpy.full((len(ids), lengths.max()), tokenizer.pad_id, dtype=numpy.int64)
        for place, row in enumerate(ids):
            source[place, : len(row) + 1] = [*row, tokenizer.eos_id]
        return source, lengths


def _batches(ids: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """Places of sentences that are translated together, the longest first; those without pieces are left out."""
    order = sorted((place for place, row in enumerate(ids) if row), key=lambda place: -len(ids[place]))
    for first in range(0, len(order), size):
        yield order[first : first + size]


def _content(directory: Path, name: str, digest: str) -> bytes:
    path = directory / name
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{directory}: the exported model is incomplete, {name} is missing; copy it again") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise ModelError(f"{path}: the file is damaged, or is that of another model; copy the exported model again")
    return data


def _tokenizer(data: bytes, path: Path) -> Tokenizer:
    return Tokenizer(model=data, name=f"the tokenizer {path}")


def _session(data: bytes, path: Path, threads: int | None, providers: Sequence[str]) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise UsageError("onnxruntime is not installed; pip install onnxruntime") from None
    unknown = [name for name in providers if name not in onnxruntime.get_available_providers()]
    if unknown:
        raise UsageError(
            f"onnxruntime has no {unknown[0]} here; choose among {', '.join(onnxruntime.get_available_providers())}"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(data, options, providers=list(providers))
    except Exception as error:  # onnxruntime's own have no common base
        reason = str(error).partition("\n")[0]
        raise ModelError(f"{path}: onnxruntime cannot use it ({reason}); export the model again") from error
