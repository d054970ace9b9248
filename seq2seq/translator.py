"""Translator: sentences in, translations out: :meth:`Translator._translate_batch`, and :meth:`search_batch` after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, final, overload

import torch
from torch import Tensor

from seq2seq.data.batch import make_source
from seq2seq.device import PrecisionName, resolve_device, resolve_precision
from seq2seq.errors import DeviceError, UsageError
from seq2seq.members import Member, attending, check_target_vocabulary, check_weights
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_directory import load_model
from seq2seq.search import Combination, Ensemble, EnsembleState, Hypothesis, StepModel, beam_search
from seq2seq.search.protocol import State
from seq2seq.source_lines import Sentence, batches_by_length, prepare_lines
from seq2seq.text.alignment import Alignment, align_words, words_of_prefixes
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation import (
    EMPTY_TRANSLATION,
    LongInput,
    Translation,
    TranslationKeywords,
    TranslationOptions,
    check_count,
    join_n_best,
    kind_of,
    with_keywords,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Combination", "LongInput", "Translation", "TranslationOptions", "Translator"]


@final
class Translator:
    """A model with its tokenizers, or an ensemble of them, ready to translate.

    It holds no state of a call: threads may share it.
    """

    def __init__(
        self,
        *,
        model: EncoderDecoder,
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
        options: TranslationOptions,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        others: Sequence[Member] = (),
        combination: Combination = "log-linear",
        weights: Sequence[float] | None = None,
    ) -> None:
        """Put it together; :meth:`load` is what most callers want. Models are in evaluation mode, on `device`.

        `others` are the further members of an ensemble, over the same target vocabulary. Their source may be cut into
        other pieces; what is said of a line's pieces, such as its longest part, is of those of `source_tokenizer`.
        """
        self.model = model
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self.options = options
        self.device = device
        self.dtype = dtype
        self.others = tuple(others)
        members = [Member(model, source_tokenizer), *self.others]
        aligning = attending(members)
        self._aligned_tokenizer = members[aligning[0]].source_tokenizer if aligning else None
        self._ensemble = Ensemble(
            [member.model for member in members], combination=combination, weights=weights, attending=aligning
        )

    @classmethod
    def load(
        cls,
        directory: str | Path | Sequence[str | Path],
        *,
        device: str = "auto",
        precision: PrecisionName = "fp32",
        combination: Combination = "log-linear",
        weights: Sequence[float] | None = None,
    ) -> Translator:
        """Load a model directory, such as `runs/en-fr`, or several as an ensemble.

        Args:
            directory: what `seq2seq-train` wrote. Of several, which may differ in everything but the target vocabulary,
                the first one's recipe says how to search, and its pieces of the source are those that are counted.
            device: auto, cpu, cuda or cuda:N.
            precision: of the matrix products; fp32 translates the same whatever the batch, bf16 and fp16 nearly so.
            combination: of an ensemble, `log-linear` takes the mean of the log-probabilities, renormalised, and
                `linear` that of the probabilities.
            weights: of an ensemble, one for each model; by default all are equal.

        Raises:
            ModelError: a directory cannot be used, or the models do not have the same target vocabulary.
            DeviceError: the device or the precision is not to be had here.
            UsageError: no directory, or weights or a combination that cannot be used.
        """
        directories = [directory] if isinstance(directory, (str, Path)) else list(directory)
        if not directories:
            raise UsageError("an ensemble needs a model directory")
        if combination not in ("log-linear", "linear"):
            raise UsageError(f"combination must be log-linear or linear, not {combination!r}")
        check_weights(weights, members=len(directories))
        where = resolve_device(device)
        dtype = resolve_precision(precision, where)
        stored, *further = [load_model(each, device=where) for each in directories]
        for name, other in zip(directories[1:], further, strict=True):
            check_target_vocabulary(
                stored.target_tokenizer,
                other.target_tokenizer,
                first_name=str(directories[0]),
                other_name=str(name),
            )
        return cls(
            model=stored.model,
            source_tokenizer=stored.source_tokenizer,
            target_tokenizer=stored.target_tokenizer,
            options=TranslationOptions.from_recipe(stored.recipe.search),
            device=where,
            dtype=dtype,
            others=[Member(other.model, other.source_tokenizer) for other in further],
            combination=combination,
            weights=weights,
        )

    @property
    def has_attention(self) -> bool:
        """Whether the model, or one of an ensemble, weighs the words of the source, and so can align words."""
        return self._aligned_tokenizer is not None

    @overload
    def translate(self, text: str, *, n_best: None = None, **options: Unpack[TranslationKeywords]) -> Translation: ...

    @overload
    def translate(self, text: str, *, n_best: int, **options: Unpack[TranslationKeywords]) -> list[Translation]: ...

    @overload
    def translate(
        self, text: list[str] | tuple[str, ...], *, n_best: None = None, **options: Unpack[TranslationKeywords]
    ) -> list[Translation]: ...

    @overload
    def translate(
        self, text: list[str] | tuple[str, ...], *, n_best: int, **options: Unpack[TranslationKeywords]
    ) -> list[list[Translation]]: ...

    def translate(
        self,
        text: str | list[str] | tuple[str, ...],
        *,
        n_best: int | None = None,
        **options: Unpack[TranslationKeywords],
    ) -> Translation | list[Translation] | list[list[Translation]]:
        """Translate one line, or a list of them.

        Args:
            text: a line, or a list of lines; an empty or blank one gives an empty translation.
            n_best: ask for this many translations of each line, at most `beam`: best first, but those cut off at the
                maximum length last. A line that has fewer gives fewer.
            options: `beam`, `length_penalty` and the other fields of :class:`TranslationOptions`; those that are not
                given are as in the model's recipe.

        Returns:
            A Translation for a line, a list of them for a list; with `n_best` a list in place of each Translation.

        Raises:
            UsageError: a value cannot be used, or a line is too long and `long_input` is error.
        """
        if isinstance(text, (list, tuple)):
            results = next(self.translate_chunks([text], n_best=n_best, **options))
            return results if n_best is not None else [result[0] for result in results]
        if not isinstance(text, str):
            raise UsageError(f"translate takes a line of text or a list of them, not {kind_of(text)}")
        result = next(self.translate_chunks([[text]], n_best=n_best, **options))[0]
        return result if n_best is not None else result[0]

    def stream(
        self, lines: Iterable[str], *, chunk: int = 1024, **options: Unpack[TranslationKeywords]
    ) -> Iterator[Translation]:
        """Translate an iterable lazily, in order; at most `chunk` lines are held at a time.

        Lines of a chunk are sorted by length into batches, so a larger chunk is faster and a smaller one sooner. The
        options are those of :meth:`translate`.
        """
        check_count("chunk", chunk)
        if isinstance(lines, (str, bytes, bytearray)) or not isinstance(lines, Iterable):
            raise UsageError(f"stream takes an iterable of lines, not {kind_of(lines)}")
        iterator = iter(lines)
        chunks = iter(lambda: list(islice(iterator, chunk)), [])
        results = self.translate_chunks(chunks, **options)
        return (result[0] for translated in results for result in translated)

    def translate_chunks(
        self, chunks: Iterable[Sequence[str]], *, n_best: int | None = None, **options: Unpack[TranslationKeywords]
    ) -> Iterator[list[list[Translation]]]:
        """Translate lists of lines one after the other, lazily; what the other methods are made of.

        Gives for every chunk a list of its lines' translations, best first, at least one each. The next chunk is asked
        for when the translations of the last one have been taken. Errors count lines from 1 through all chunks.
        """
        chosen = with_keywords(self.options, options)
        check_count("n_best", n_best)
        if n_best is not None and n_best > chosen.beam:
            raise UsageError(
                f"n_best {n_best} is more than the beam of {chosen.beam}; raise the beam, or ask for fewer"
            )
        return self._translate_chunks(chunks, chosen, n_best or 1)

    def _translate_chunks(
        self, chunks: Iterable[Sequence[str]], options: TranslationOptions, n_best: int
    ) -> Iterator[list[list[Translation]]]:
        first = 1
        for chunk in chunks:
            lines = prepare_lines(chunk, tokenizer=self.source_tokenizer, options=options, first=first)
            translated = iter(self._translate_sentences([s for line in lines for s in line.sentences], options, n_best))
            results = []
            for line in lines:
                of_parts = [next(translated) for _ in line.sentences]
                results.append(join_n_best(line.text, line.parts, of_parts, options))
            yield results
            first += len(chunk)

    def _translate_sentences(
        self, sentences: Sequence[Sentence], options: TranslationOptions, n_best: int
    ) -> list[list[Translation]]:
        """Translations of every sentence, in order; one without pieces has an empty one."""
        results = [[EMPTY_TRANSLATION] for _ in sentences]
        lengths = [len(sentence.ids) for sentence in sentences]
        for batch in batches_by_length(lengths, batch_size=options.batch_size, max_tokens=options.max_tokens):
            translated = self._translate_fitting([sentences[index] for index in batch], options, n_best)
            for index, translations in zip(batch, translated, strict=True):
                results[index] = translations
        return results

    def _translate_fitting(
        self, sentences: Sequence[Sentence], options: TranslationOptions, n_best: int
    ) -> list[list[Translation]]:
        """Translate a batch; in halves where it does not fit into the memory of the GPU."""
        try:
            return self._translate_batch(sentences, options, n_best)
        except torch.OutOfMemoryError:
            if len(sentences) == 1:
                raise DeviceError(
                    f"a sentence of {len(sentences[0].ids)} pieces with a beam of {options.beam} does not fit into the "
                    f"memory of {self.device}; use a smaller beam or max_input_pieces, or device cpu"
                ) from None
        # Outside of the handler, which would keep the tensors of the failed attempt alive.
        half = len(sentences) // 2
        first = self._translate_fitting(sentences[:half], options, n_best)
        return first + self._translate_fitting(sentences[half:], options, n_best)

    def _translate_batch(
        self, sentences: Sequence[Sentence], options: TranslationOptions, n_best: int
    ) -> list[list[Translation]]:
        """Ids -> batch -> encoder -> attention and decoder -> beam, then -> pieces -> text."""
        return [
            [self.translation_of(sentence, hypothesis) for hypothesis in best_first]
            for sentence, best_first in zip(
                sentences, self.search_batch(sentences, options, n_best=n_best), strict=True
            )
        ]

    @torch.no_grad()  # not inference_mode, under which autocast would cast every weight anew at every step
    def search_batch(
        self, sentences: Sequence[Sentence], options: TranslationOptions, *, n_best: int = 1
    ) -> list[list[Hypothesis]]:
        """Ids -> batch -> encoder -> attention and decoder -> beam: the hypotheses of every sentence, best first.

        With :meth:`translation_of` the two halves of a translation, for who wants them apart. Every sentence has a
        piece at least.
        """
        tokenizer = self.source_tokenizer
        ids = [sentence.ids for sentence in sentences]
        source, lengths = make_source(ids, eos_id=tokenizer.eos_id, pad_id=tokenizer.pad_id)
        source, lengths = source.to(self.device), lengths.to(self.device)
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype is not torch.float32):
            state = self.model.start(source, lengths)
            if self.others:
                others = (other.start(sentences, device=self.device) for other in self.others)
                return self._search(self._ensemble, EnsembleState((state, *others)), lengths, options, n_best)
            return self._search(self.model, state, lengths, options, n_best)

    def _search(
        self, model: StepModel[State], state: State, lengths: Tensor, options: TranslationOptions, n_best: int
    ) -> list[list[Hypothesis]]:
        """The best hypotheses of every sentence, one at least; `lengths` [batch] of the source count the end."""
        tokenizer = self.target_tokenizer
        return beam_search(
            model,
            state,
            sentences=lengths.shape[0],
            max_lengths=((lengths - 1) * options.max_length_ratio).long() + options.max_length_offset,
            bos_id=tokenizer.bos_id,
            eos_id=tokenizer.eos_id,
            beam=options.beam,
            n_best=n_best,
            length_penalty=options.length_penalty,
            forbidden_ids=(tokenizer.pad_id, tokenizer.bos_id, tokenizer.unk_id),
            with_attention=options.alignment and self.has_attention,
        )

    def translation_of(self, sentence: Sentence, hypothesis: Hypothesis) -> Translation:
        """Pieces -> text: the translation that a hypothesis is, with its alignment if it has attention."""
        pieces = self.target_tokenizer.pieces(hypothesis.ids)
        text = self.target_tokenizer.decode([hypothesis.ids])[0]
        return Translation(
            text=text,
            score=hypothesis.score,
            log_prob=hypothesis.log_prob,
            pieces=tuple(pieces),
            piece_log_probs=tuple(hypothesis.token_log_probs),
            alignment=self._alignment(sentence.text, text, pieces, hypothesis),
            finished=hypothesis.finished,
            source_pieces=len(sentence.ids),
        )

    def _alignment(self, source: str, text: str, pieces: Sequence[str], hypothesis: Hypothesis) -> Alignment:
        words = len(text.split())
        if hypothesis.attention is None or self._aligned_tokenizer is None or words == 0:
            return ()
        ids = hypothesis.ids
        prefixes = self.target_tokenizer.decode([ids[:end] for end in range(1, len(ids) + 1)])
        return align_words(
            hypothesis.attention.float().numpy(),
            source_words=self._aligned_tokenizer.words_of_pieces(source)[2],
            target_words=words_of_prefixes(prefixes, pieces, words=words),
        )
