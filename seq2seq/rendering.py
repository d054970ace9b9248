"""From hypotheses, in ids, to translations: text, scores of its words, and where its words come from."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from seq2seq.search import Hypothesis
from seq2seq.searching import scoring_of
from seq2seq.source_lines import Sentence, SourceLine
from seq2seq.text.alignment import align_words, attention_of_words, words_of_prefixes
from seq2seq.text.carrying import carry_over
from seq2seq.text.markup import put_back
from seq2seq.text.sentences import Part
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translation import Translation, join_translations
from seq2seq.translation_options import TranslationOptions


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """Makes translations of hypotheses.

    `source_tokenizer` and `target_tokenizer` are the model's; `aligned_tokenizer` made the source pieces that attention
    weights are for, None without an attention.
    """

    source_tokenizer: Tokenizer
    target_tokenizer: Tokenizer
    aligned_tokenizer: Tokenizer | None

    def translation(self, sentence: Sentence, hypothesis: Hypothesis, options: TranslationOptions) -> Translation:
        """The translation of a sentence that a hypothesis stands for."""
        ids = hypothesis.ids
        pieces = self.target_tokenizer.pieces(ids)
        text = self.target_tokenizer.decode([ids])[0]
        translation = Translation(
            text=text,
            score=hypothesis.score,
            log_prob=hypothesis.log_prob,
            pieces=tuple(pieces),
            piece_log_probs=tuple(hypothesis.token_log_probs),
            alignment=(),
            finished=hypothesis.finished,
            source_pieces=len(sentence.ids),
        )
        words = len(text.split())
        if words == 0 or not options.reads_words:
            return translation
        prefixes = self.target_tokenizer.decode([ids[:end] for end in range(1, len(ids) + 1)])
        target_words = words_of_prefixes(prefixes, pieces, words=words)
        log_probs = [0.0] * words
        for word, log_prob in zip(target_words, hypothesis.token_log_probs, strict=False):
            log_probs[word] += log_prob
        translation = replace(translation, word_log_probs=tuple(log_probs))
        if hypothesis.attention is None or self.aligned_tokenizer is None:
            return translation
        attention = hypothesis.attention.float().numpy()
        source_words = self.aligned_tokenizer.words_of_pieces(sentence.text)[2]
        translation = replace(
            translation, alignment=align_words(attention, source_words=source_words, target_words=target_words)
        )
        if options.soft_alignment:
            soft = attention_of_words(attention, source_words=source_words, target_words=target_words)
            translation = replace(translation, soft_alignment=tuple(tuple(row) for row in soft.tolist()))
        return translation

    def with_what_is_carried(
        self, line: SourceLine, translations: Sequence[Translation], options: TranslationOptions
    ) -> list[Translation]:
        """Translations of a line with the words and tags in them that are carried over from it as they are."""
        if not options.carry_over:
            return list(translations)
        kinds = [kind for kind in options.carry_over if kind != "tags"]
        found = []
        for translation in translations:
            text, alignment = carry_over(
                line.text, translation.text, translation.alignment, kinds=kinds, is_unknown=self._is_unknown
            )
            if line.markup is not None:
                text, alignment = put_back(line.markup, text, alignment)
            if text != translation.text:
                # Its words are not those that the model chose, nor as many.
                translation = replace(translation, text=text, alignment=alignment, word_log_probs=(), soft_alignment=())
            found.append(translation)
        return found

    def _is_unknown(self, word: str) -> bool:
        return self.source_tokenizer.unk_id in self.source_tokenizer.encode_one(word)


def join_n_best(
    line: str, parts: Sequence[Part], of_parts: Sequence[Sequence[Translation]], options: TranslationOptions
) -> list[Translation]:
    """The k-th translation of a line is made of the k-th of every part, or of the last where a part has fewer."""
    if len(parts) == 1 and not parts[0].separator:
        return list(of_parts[0])
    scoring = scoring_of(options)

    def score(joined: Sequence[Translation]) -> float:
        if options.method == "mbr":
            return statistics.fmean(part.score for part in joined)
        pieces = sum(len(part.piece_log_probs) for part in joined)
        return scoring.score(math.fsum(part.log_prob for part in joined), max(1, pieces))

    return [
        join_translations(
            line,
            parts,
            [found[min(k, len(found) - 1)] for found in of_parts],
            score=score,
            keep_breaks=options.split_sentences,
        )
        for k in range(max(len(translations) for translations in of_parts))
    ]
