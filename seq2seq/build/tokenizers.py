"""The tokenizers and the text of a recipe."""

from __future__ import annotations

from collections.abc import Iterator

from seq2seq.recipe import Corpus, Recipe, TextSource
from seq2seq.text.corpus import ParallelText, read_pairs
from seq2seq.text.tokenizer import Tokenizer


def parallel_text(source: TextSource, corpus: Corpus) -> ParallelText:
    """The parallel text that an entry of a recipe's corpus section names."""
    return ParallelText(
        **source.model_dump(), source_language=corpus.source_language, target_language=corpus.target_language
    )


def build_tokenizers(recipe: Recipe) -> tuple[Tokenizer, Tokenizer]:
    """The source and the target tokenizer, one and the same when joint: loaded if given, else trained from the text."""
    section = recipe.tokenizer
    if section.source_model is not None:
        source = Tokenizer.load(section.source_model)
        return source, source if section.target_model is None else Tokenizer.load(section.target_model)

    texts = [parallel_text(entry, recipe.corpus) for entry in recipe.corpus.train]

    def side(names: tuple[str, ...]) -> Iterator[str]:
        for text in texts:
            for pair in read_pairs(text):
                for name in names:
                    yield getattr(pair, name)

    def train(*names: str, size_key: str = "vocabulary_size") -> Tokenizer:
        return Tokenizer.train(
            side(names),
            algorithm=section.algorithm,
            vocabulary_size=getattr(section, size_key),
            byte_fallback=section.byte_fallback,
            character_coverage=section.character_coverage,
            normalization=section.normalization,
            training_sentences=section.training_sentences,
            seed=recipe.run.seed,
            size_key=size_key,
        )

    if section.joint:
        joint = train("source", "target")
        return joint, joint
    target_key = "vocabulary_size" if section.target_vocabulary_size is None else "target_vocabulary_size"
    return train("source"), train("target", size_key=target_key)
