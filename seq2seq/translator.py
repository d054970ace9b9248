"""Translator: sentences in, translations out, by :meth:`Translator._translate_batch` and :meth:`search_batch`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, final, overload

import torch

from seq2seq.batch_search import BatchSearch
from seq2seq.demands import Source
from seq2seq.device import PrecisionName, activation_dtype, in_parts_that_fit, resolve_device, resolve_precision
from seq2seq.errors import DeviceError, UsageError
from seq2seq.members import Member, attending, check_target_vocabulary, check_weights
from seq2seq.minimum_bayes_risk import expected_utilities
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_directory import load_model, load_shortlist
from seq2seq.pair_scoring import PairScorer, pairs_of_lines
from seq2seq.rendering import Rendering, join_n_best
from seq2seq.scored import Scored, ScoringKeywords
from seq2seq.search import Combination, Hypothesis
from seq2seq.shortlist import Shortlist
from seq2seq.side_by_side import side_by_side
from seq2seq.source_lines import Sentence, batches_by_length, prepare_lines
from seq2seq.team import Team
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation import EMPTY_TRANSLATION, Translation
from seq2seq.translation_options import (
    LongInput,
    TranslationKeywords,
    TranslationOptions,
    check_count,
    kind_of,
    with_keywords,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Combination", "LongInput", "Source", "Translation", "TranslationOptions", "Translator"]

#: What is translated: text, or text with what is asked of its translation.
Line: TypeAlias = "str | Source"
Lines: TypeAlias = "list[str] | tuple[str, ...] | list[Source] | tuple[Source, ...] | list[str | Source]"


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
        prepared: bool = False,
        shortlist: Callable[[], Shortlist] | None = None,
        processes: int = 1,
    ) -> None:
        """Put it together; :meth:`load` is what most callers want. Models are in evaluation mode, on `device`.

        `others` are the further members of an ensemble, over the same target vocabulary. Their source may be cut into
        other pieces; what is said of a line's pieces, such as its longest part, is of those of `source_tokenizer`.
        With `prepared`, models are copied into a form that is faster to search with, where they have one: changes of
        their weights are not seen any more. `shortlist` reads that of the first model, when first asked for. More than
        one of the `processes` are further ones with a copy of all this each, in place of threads; on a CPU.
        """
        self._copied: dict[str, Any] = {
            "model": model,
            "source_tokenizer": source_tokenizer,
            "target_tokenizer": target_tokenizer,
            "options": options,
            "device": device,
            "dtype": dtype,
            "others": tuple(others),
            "combination": combination,
            "weights": weights,
            "prepared": prepared,
            "shortlist": shortlist,
        }
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
        self._rendering = Rendering(
            source_tokenizer=source_tokenizer,
            target_tokenizer=target_tokenizer,
            aligned_tokenizer=self._aligned_tokenizer,
        )
        self._batch_search = BatchSearch(
            members=members,
            attending=aligning,
            target_tokenizer=target_tokenizer,
            device=device,
            dtype=dtype,
            combination=combination,
            weights=weights,
            prepared=prepared,
            shortlist=shortlist,
        )
        self._pair_scorer = PairScorer(
            members=members,
            ensemble=self._batch_search.ensemble,
            target_tokenizer=target_tokenizer,
            device=device,
            dtype=activation_dtype(dtype, device),
        )
        self._team: Team | None = None
        check_count("processes", processes)
        if processes > 1:
            if device.type != "cpu":
                raise DeviceError(f"several processes are for the CPU, but the device is {device}; leave processes out")
            self._team = Team(self, processes=processes, threads=max(1, torch.get_num_threads() // processes))

    def __reduce__(self) -> tuple[Callable[[dict[str, Any]], Translator], tuple[dict[str, Any]]]:
        """A copy has no further processes."""
        return _restored, (self._copied,)

    @classmethod
    def load(
        cls,
        directory: str | Path | Sequence[str | Path],
        *,
        device: str = "auto",
        precision: PrecisionName = "fp32",
        combination: Combination = "log-linear",
        weights: Sequence[float] | None = None,
        processes: int = 1,
    ) -> Translator:
        """Load a model directory, such as `runs/en-fr`, or several as an ensemble.

        Args:
            directory: what `seq2seq-train` wrote. Of several, which may differ in everything but the target vocabulary,
                the first one's recipe says how to search, and its pieces of the source are those that are counted.
            device: auto, cpu, cuda or cuda:N.
            precision: of the matrix products; fp32 translates the same whatever the batch, bf16 and fp16 nearly so.
                int8, on a CPU, is that of the decoder's products with its weights; the rest is in bf16 where the
                processor has it.
            combination: of an ensemble, `log-linear` takes the mean of the log-probabilities, renormalised, and
                `linear` that of the probabilities.
            weights: of an ensemble, one for each model; by default all are equal.
            processes: with more than one, so many further processes translate on the CPU, each with a copy of the
                models and its share of PyTorch's threads. For much text, above all with a shortlist: they take a second
                or two to start and the memory of a translator each. They end by :meth:`close`, or when nothing refers
                to the translator any more.

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
            prepared=True,
            shortlist=partial(load_shortlist, directories[0], stored),
            processes=processes,
        )

    def close(self) -> None:
        """End the further processes, if there are any; nothing is translated after that."""
        if self._team is not None:
            self._team.close()

    @property
    def has_attention(self) -> bool:
        """Whether the model, or one of an ensemble, weighs the words of the source, and so can align words."""
        return self._aligned_tokenizer is not None

    @overload
    def translate(self, text: Line, *, n_best: None = None, **options: Unpack[TranslationKeywords]) -> Translation: ...

    @overload
    def translate(self, text: Line, *, n_best: int, **options: Unpack[TranslationKeywords]) -> list[Translation]: ...

    @overload
    def translate(
        self, text: Lines, *, n_best: None = None, **options: Unpack[TranslationKeywords]
    ) -> list[Translation]: ...

    @overload
    def translate(
        self, text: Lines, *, n_best: int, **options: Unpack[TranslationKeywords]
    ) -> list[list[Translation]]: ...

    def translate(
        self,
        text: Line | Lines,
        *,
        n_best: int | None = None,
        **options: Unpack[TranslationKeywords],
    ) -> Translation | list[Translation] | list[list[Translation]]:
        """Translate one line, or a list of them.

        Args:
            text: a line, or a list of lines; an empty or blank one gives an empty translation. A line is text, or a
                :class:`Source`, which can also say how its translation begins and what it contains.
            n_best: ask for this many translations of each line, at most `beam`: best first, but those cut off at the
                maximum length last. A line that has fewer gives fewer. Of `sampling` so many samples in the order of
                drawing, of `mbr` the best of at most `samples`.
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
        if not isinstance(text, (str, Source)):
            raise UsageError(f"translate takes a line of text or a list of them, not {kind_of(text)}")
        result = next(self.translate_chunks([[text]], n_best=n_best, **options))[0]
        return result if n_best is not None else result[0]

    def stream(
        self, lines: Iterable[Line], *, chunk: int = 1024, **options: Unpack[TranslationKeywords]
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
        self, chunks: Iterable[Sequence[Line]], *, n_best: int | None = None, **options: Unpack[TranslationKeywords]
    ) -> Iterator[list[list[Translation]]]:
        """Translate lists of lines one after the other, lazily; what the other methods are made of.

        Gives for every chunk a list of its lines' translations, best first, at least one each. The next chunk is asked
        for when the translations of the last one have been taken. Errors count lines from 1 through all chunks.
        """
        chosen = with_keywords(self.options, options)
        chosen.check_n_best(n_best)
        if chosen.coverage_penalty and not self.has_attention:
            raise UsageError("the model has no attention, so there is no coverage; leave out coverage_penalty")
        if chosen.shortlist:
            self._batch_search.shortlist()  # its errors come before the first line
        if chosen.carry_over and not self.has_attention:
            raise UsageError(
                "the model has no attention that says where words come from, so none can be carried over; leave out "
                "carry_over"
            )
        return self._translate_chunks(chunks, chosen, n_best or 1)

    @overload
    def score(self, source: str, target: str, **options: Unpack[ScoringKeywords]) -> Scored: ...

    @overload
    def score(
        self,
        source: list[str] | tuple[str, ...],
        target: list[str] | tuple[str, ...],
        **options: Unpack[ScoringKeywords],
    ) -> list[Scored]: ...

    def score(
        self,
        source: str | list[str] | tuple[str, ...],
        target: str | list[str] | tuple[str, ...],
        *,
        length_penalty: float | None = None,
        batch_size: int | None = None,
        max_tokens: int | None = None,
    ) -> Scored | list[Scored]:
        """Score a given translation, or a list of them, by what the search would give it; nothing is searched.

        Args:
            source: a line, or a list of lines; however long one is, it is read at once.
            target: its translation, or a list of theirs.
            length_penalty: a target of n pieces, end included, scores log p / n^length_penalty; by default as in the
                model's recipe.
            batch_size: pairs that are scored together; changes speed and memory only.
            max_tokens: pieces of the longer side that are scored together, padding included.

        Returns:
            A Scored for a pair of lines, a list of them for lists.

        Raises:
            UsageError: a value cannot be used, or there are not as many targets as sources.
        """
        pairs = pairs_of_lines(source, target)
        results = next(
            self.score_chunks([pairs], length_penalty=length_penalty, batch_size=batch_size, max_tokens=max_tokens)
        )
        return results[0] if isinstance(source, str) else results

    def score_chunks(
        self,
        chunks: Iterable[Sequence[tuple[str, str]]],
        *,
        length_penalty: float | None = None,
        batch_size: int | None = None,
        max_tokens: int | None = None,
    ) -> Iterator[list[Scored]]:
        """Score lists of pairs (source, target) one after the other, lazily; the options are those of :meth:`score`.

        The next chunk is asked for when the scores of the last one have been taken. Errors count pairs from 1 through
        all chunks.
        """
        chosen = with_keywords(
            self.options, {"length_penalty": length_penalty, "batch_size": batch_size, "max_tokens": max_tokens}
        )
        return self._pair_scorer.score_chunks(chunks, chosen)

    def _translate_chunks(
        self, chunks: Iterable[Sequence[Line]], options: TranslationOptions, n_best: int
    ) -> Iterator[list[list[Translation]]]:
        first = 1
        for chunk in chunks:
            lines = prepare_lines(
                chunk,
                tokenizer=self.source_tokenizer,
                target_tokenizer=self.target_tokenizer,
                options=options,
                first=first,
            )
            translated = iter(self._translate_sentences([s for line in lines for s in line.sentences], options, n_best))
            results = []
            for line in lines:
                of_parts = [next(translated) for _ in line.sentences]
                whole = join_n_best(line.text, line.parts, of_parts, options)
                results.append(self._rendering.with_what_is_carried(line, whole, options))
            yield results
            first += len(chunk)

    def _translate_sentences(
        self, sentences: Sequence[Sentence], options: TranslationOptions, n_best: int
    ) -> list[list[Translation]]:
        """Translations of every sentence, in order; one without pieces has an empty one."""
        results = [[EMPTY_TRANSLATION] for _ in sentences]
        lengths = [len(sentence.ids) for sentence in sentences]
        batches = list(batches_by_length(lengths, batch_size=options.batch_size, max_tokens=options.max_tokens))

        of_batches = self._for_each(
            "_translate_parts", [[sentences[i] for i in batch] for batch in batches], options, n_best
        )
        for batch, translated in zip(batches, of_batches, strict=True):
            for index, translations in zip(batch, translated, strict=True):
                results[index] = translations
        return results

    def _for_each(
        self, method: str, batches: Sequence[Sequence[Sentence]], options: TranslationOptions, n_best: int
    ) -> list[Any]:
        """What the method gives for every batch, in order: on a CPU side by side, in processes or threads."""
        if self._team is not None and len(batches) > 1:
            return self._team.map(method, [(batch, options, n_best) for batch in batches])
        threads = torch.get_num_threads() if self.device.type == "cpu" else 1
        return side_by_side(batches, lambda batch: getattr(self, method)(batch, options, n_best), threads=threads)

    def _translate_parts(
        self, sentences: Sequence[Sentence], options: TranslationOptions, n_best: int
    ) -> list[list[Translation]]:
        """:meth:`_translate_batch`, in parts where a GPU's memory is too small."""
        return in_parts_that_fit(
            sentences,
            lambda part: self._translate_batch(part, options, n_best),
            too_large=lambda sentence: (
                f"a sentence of {len(sentence.ids)} pieces with a beam of {options.beam} does not fit into the "
                f"memory of {self.device}; use a smaller beam or max_input_pieces, or device cpu"
            ),
        )

    def _translate_batch(
        self, sentences: Sequence[Sentence], options: TranslationOptions, n_best: int
    ) -> list[list[Translation]]:
        """Ids -> batch -> encoder -> attention and decoder -> beam, then -> pieces -> text."""
        found = self.search_batch(sentences, options, n_best=n_best)
        if options.method == "mbr":
            return [
                self._least_risky(sentence, samples, options)[:n_best]
                for sentence, samples in zip(sentences, found, strict=True)
            ]
        return [
            [self.translation_of(sentence, hypothesis, options) for hypothesis in hypotheses]
            for sentence, hypotheses in zip(sentences, found, strict=True)
        ]

    def search_batches(
        self, batches: Sequence[Sequence[Sentence]], options: TranslationOptions
    ) -> list[list[list[Hypothesis]]]:
        """:meth:`search_batch` for every batch, in order; on a CPU side by side."""
        return self._for_each("search_batch", batches, options, 1)

    def search_batch(
        self, sentences: Sequence[Sentence], options: TranslationOptions, n_best: int = 1
    ) -> list[list[Hypothesis]]:
        """Ids -> batch -> encoder -> attention and decoder -> beam: the hypotheses of every sentence, best first.

        With :meth:`translation_of` the two halves of a translation, for who wants them apart. Every sentence has a
        piece at least.
        """
        return self._batch_search.search(sentences, options, n_best=n_best)

    def _least_risky(
        self, sentence: Sentence, samples: Sequence[Hypothesis], options: TranslationOptions
    ) -> list[Translation]:
        """The different ones among the samples, those of least expected risk first, which is their score."""
        texts = self.target_tokenizer.decode([sample.ids for sample in samples])
        first = dict(zip(reversed(texts), reversed(samples), strict=True))
        utilities = expected_utilities(texts, utility=options.utility)
        render = self._rendering.translation
        return [replace(render(sentence, first[text], options), score=utility) for text, utility in utilities.items()]

    def translation_of(self, sentence: Sentence, hypothesis: Hypothesis, options: TranslationOptions) -> Translation:
        """Pieces -> text: the translation that a hypothesis is."""
        return self._rendering.translation(sentence, hypothesis, options)


def _restored(arguments: dict[str, Any]) -> Translator:
    return Translator(**arguments)
