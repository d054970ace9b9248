"""BLEU as papers gave it before SacreBLEU: of text that Moses' rules tokenized, lowercased as a rule.

    seq2seq-translate --model runs/multi30k-en-fr < test.en > test.out
    python -m tools.score_tokenized --language fr --reference test.fr test.out

To stand beside figures of that kind and for nothing else: SacreBLEU's own tokenization is what systems are compared by.
The steps are those of Multi30k's preparation: lowercase, normalise punctuation, tokenize. Needs the package sacremoses
(`pip install sacremoses`), a Python form of Moses' scripts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sacrebleu.metrics.bleu import BLEU

from seq2seq.cli import failure
from seq2seq.errors import CorpusError, UsageError
from seq2seq.text.lines import read_lines


def preparation(language: str, *, lowercase: bool) -> Callable[[str], str]:
    """What makes tokens with spaces between them of a line. Raises UsageError without sacremoses."""
    try:
        from sacremoses import MosesPunctNormalizer, MosesTokenizer
    except ImportError as error:
        raise UsageError("this needs the package sacremoses: pip install sacremoses") from error
    normalizer, tokenizer = MosesPunctNormalizer(lang=language), MosesTokenizer(lang=language)

    def prepare(line: str) -> str:
        text = line.strip().lower() if lowercase else line.strip()
        tokens: str = tokenizer.tokenize(normalizer.normalize(text), return_str=True, escape=False)
        return tokens

    return prepare


def tokenized_bleu(hypotheses: Sequence[str], references: Sequence[str], prepare: Callable[[str], str]) -> float:
    """BLEU of the prepared lines, one reference each, in percent."""
    scorer = BLEU(tokenize="none", force=True)
    return float(scorer.corpus_score([*map(prepare, hypotheses)], [[*map(prepare, references)]]).score)


def score(arguments: argparse.Namespace) -> int:
    """Print one line per file of translations."""
    prepare = preparation(arguments.language, lowercase=not arguments.cased)
    references = list(read_lines(arguments.reference))
    for path in arguments.translations:
        hypotheses = list(read_lines(path))
        if len(hypotheses) != len(references) or not references:
            raise CorpusError(
                f"{path}: {len(hypotheses):,} translations of {len(references):,} references; both need as many lines"
            )
        value = tokenized_bleu(hypotheses, references, prepare)
        print(f"{path}: BLEU = {value:.2f} (Moses tokens, {'cased' if arguments.cased else 'lowercased'})")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("translations", type=Path, nargs="+", metavar="FILE", help="translations, one per line")
    parser.add_argument("--reference", type=Path, required=True, help="plain or gz, one per line")
    parser.add_argument("--language", required=True, help="code of the target language, for its tokenization")
    parser.add_argument("--cased", action="store_true", help="keep the case")
    return failure.run("score_tokenized", lambda: score(parser.parse_args(argv)))


if __name__ == "__main__":
    sys.exit(main())
