r"""More training text from the text there is: what trained models make of it (data diversification, Nguyen 2020).

    python -m tools.diversify recipes/multi30k-en-fr.yaml --models runs/en-fr-1 runs/en-fr-2 runs/fr-en-1 \
        --output data/diversified/train

Models of the recipe's direction translate the sources of its training corpora; a pair is then a source and a
translation. Models of the other direction translate the targets; a pair is then a translation and a target. Together
with `--ensemble`, the models of a direction translate as one. Pairs that are in the corpora, or come twice, are left
out. The output, OUTPUT.<source> and OUTPUT.<target>, is for a recipe that lists it beside the corpora themselves.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from seq2seq.build import parallel_text
from seq2seq.cli import failure
from seq2seq.errors import UsageError
from seq2seq.model_directory import load_description
from seq2seq.recipe import Recipe, load_recipe
from seq2seq.storage import write_atomically
from seq2seq.text.corpus import read_pairs
from seq2seq.translator import Translator

#: A source sentence and a target sentence.
Pair = tuple[str, str]

#: Sentences that are translated, sorted by length, before progress is shown.
CHUNK = 5000


def is_forward(directory: Path, recipe: Recipe) -> bool:
    """Whether a model translates in the recipe's direction, or in the other one.

    Raises:
        ModelError: the directory holds no model.
        UsageError: the model is of other languages.
    """
    corpus = load_description(directory)[0].corpus
    languages = corpus.source_language, corpus.target_language
    wanted = recipe.corpus.source_language, recipe.corpus.target_language
    if languages not in (wanted, wanted[::-1]):
        raise UsageError(
            f"{directory} translates {' to '.join(languages)}; this needs {' to '.join(wanted)}, or the other way round"
        )
    return languages == wanted


def synthetic_pairs(pairs: Sequence[Pair], translator: Translator, *, forward: bool, n_best: int) -> list[Pair]:
    """Every sentence of one side with its `n_best` translations, that were found, in place of the other side."""
    side = [source if forward else target for source, target in pairs]
    unique = list(dict.fromkeys(sentence for sentence in side if sentence.strip()))
    made: list[Pair] = []
    for begin in range(0, len(unique), CHUNK):
        part = unique[begin : begin + CHUNK]
        found = translator.translate(part, n_best=n_best, alignment=False)
        made += [(sentence, each.text) for sentence, several in zip(part, found, strict=True) for each in several]
        failure.say(f"translated {begin + len(part):,} of {len(unique):,} sentences")
    return [(sentence, text) if forward else (text, sentence) for sentence, text in made if text.strip()]


def without_known(made: Sequence[Pair], known: set[Pair]) -> list[Pair]:
    """The pairs that `known` does not have, each once; they are added to it."""
    new = [pair for pair in dict.fromkeys(made) if pair not in known]
    known.update(new)
    return new


def diversify(arguments: argparse.Namespace) -> int:
    """Translate with every model, or every ensemble, and write what is new."""
    recipe = load_recipe(arguments.recipe)
    directions = {directory: is_forward(directory, recipe) for directory in arguments.models}
    if arguments.ensemble:
        together = [[each for each in directions if directions[each] is forward] for forward in (True, False)]
        teams = [team for team in together if team]
    else:
        teams = [[directory] for directory in directions]
    entries = (parallel_text(entry, recipe.corpus) for entry in recipe.corpus.train)
    pairs = [(pair.source, pair.target) for entry in entries for pair in read_pairs(entry)]
    known, new = set(pairs), []
    for team in teams:
        began = time.monotonic()
        translator = Translator.load(team, device=arguments.device, precision=arguments.precision)
        made = synthetic_pairs(pairs, translator, forward=directions[team[0]], n_best=arguments.n_best)
        fresh = without_known(made, known)
        new += fresh
        names = ", ".join(str(directory) for directory in team)
        failure.say(f"{names}: {len(made):,} pairs, {len(fresh):,} of them new, in {time.monotonic() - began:.0f} s")
    for side, language in enumerate((recipe.corpus.source_language, recipe.corpus.target_language)):
        path = Path(f"{arguments.output}.{language}")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Sentences of JSON lines may hold line ends, and a pair is a line of each file.
        write_atomically(path, "".join(f"{' '.join(pair[side].split())}\n" for pair in new).encode())
    failure.say(f"{arguments.output}: {len(new):,} pairs beside the {len(pairs):,} of the recipe")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="whose training corpora are translated")
    parser.add_argument("--models", type=Path, nargs="+", required=True, metavar="DIR", help="of either direction")
    parser.add_argument("--output", required=True, metavar="PREFIX", help="path without language")
    parser.add_argument("--ensemble", action="store_true", help="the models of a direction translate together")
    parser.add_argument("--n-best", type=int, default=1, help="translations of a sentence, no more than the beam")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--device", default="auto")
    return failure.run("diversify", lambda: diversify(parser.parse_args(argv)))


if __name__ == "__main__":
    sys.exit(main())
