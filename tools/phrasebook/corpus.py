"""Draw the sentences, part them into train, valid and test, check them and write the files."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

from tools.phrasebook.draw import Draw
from tools.phrasebook.fixed_phrases import fixed_pairs
from tools.phrasebook.holdout import KINDS, held_out
from tools.phrasebook.sentences import Pair, Template, in_register
from tools.phrasebook.templates import (
    actions,
    asking,
    calendar_talk,
    commands,
    comparing,
    directions,
    health,
    hotel,
    informal,
    joined,
    meeting_people,
    pronouns,
    pronouns_for_people,
    quantities,
    relative_clauses,
    reported,
    restaurant,
    shopping,
    transport,
)

SEED = 20240
TRAIN_SIZE = 20000
VALID_SIZE = 500
SEEN_SIZE = 700
UNSEEN_SIZE = 300
MODULES = (
    directions,
    shopping,
    restaurant,
    hotel,
    transport,
    health,
    calendar_talk,
    meeting_people,
    actions,
    pronouns,
    quantities,
    joined,
    informal,
    asking,
    commands,
    comparing,
    pronouns_for_people,
    relative_clauses,
    reported,
)
WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*", re.UNICODE)


@dataclass(frozen=True)
class Corpus:
    """The parts of the corpus; ``groups`` names the group of each test pair."""

    train: list[Pair]
    valid: list[Pair]
    test: list[Pair]
    groups: list[str]


def words(text: str) -> list[str]:
    """Return the lower-case words of a sentence without punctuation; elided words stand alone."""
    return WORD.findall(text.lower())


@cache
def key(text: str) -> str:
    """Return what two sentences share if they differ in capitals and punctuation only."""
    return " ".join(words(text))


class Collector:
    """Keep each pair once and see that an English sentence has a single French one."""

    def __init__(self) -> None:
        self.french_of: dict[str, str] = {}
        self.pairs: list[Pair] = []

    def add(self, pair: Pair) -> bool:
        """Keep a new pair; return false for one already there."""
        english = key(pair.english)
        if english in self.french_of:
            if self.french_of[english] != key(pair.french):
                raise ValueError(f"two translations: {pair} and {self.french_of[english]}")
            return False
        self.french_of[english] = key(pair.french)
        self.pairs.append(pair)
        return True


def weighted_templates() -> tuple[list[Template], list[float]]:
    """Return all templates and the running sums of their weights."""
    entries: list[tuple[Template, float]] = [entry for module in MODULES for entry in module.TEMPLATES]
    return [template for template, _ in entries], list(accumulate(weight for _, weight in entries))


def draw_pool(draw: Draw, seen_size: int, unseen_size: int) -> tuple[list[Pair], list[Pair]]:
    """Draw until enough pairs without and with held-out combinations are there."""
    templates, totals = weighted_templates()
    seen, unseen = Collector(), Collector()
    for english, french in fixed_pairs():
        seen.add(Pair(english, french))
    while len(seen.pairs) < seen_size or len(unseen.pairs) < unseen_size:
        drawn = draw.weighted(templates, totals)(draw)
        if drawn is None:
            continue
        pair = in_register(draw, drawn)
        if held_out(pair.tags):
            unseen.add(pair)
        elif len(seen.pairs) < seen_size:
            seen.add(pair)
    return seen.pairs, unseen.pairs


@dataclass(frozen=True)
class KnownWords:
    """The words of each side that occur often enough in train to be learnt."""

    english: set[str]
    french: set[str]

    def cover(self, pair: Pair) -> bool:
        """Tell whether all words of a pair are known."""
        return set(words(pair.english)) <= self.english and set(words(pair.french)) <= self.french


def frequent_words(pairs: list[Pair], least: int = 3) -> KnownWords:
    """Return the words that occur at least so often."""
    english = Counter(word for pair in pairs for word in words(pair.english))
    french = Counter(word for pair in pairs for word in words(pair.french))
    return KnownWords(
        {word for word, count in english.items() if count >= least},
        {word for word, count in french.items() if count >= least},
    )


def without_french(pairs: Iterable[Pair], taken: set[str]) -> list[Pair]:
    """Return the pairs whose French sentence is not taken."""
    return [pair for pair in pairs if key(pair.french) not in taken]


def pick_single(pairs: list[Pair], size: int, known: KnownWords) -> list[Pair]:
    """Pick pairs with different French sentences, all of whose words are known."""
    chosen: list[Pair] = []
    french: set[str] = set()
    for pair in pairs:
        sentence = key(pair.french)
        if sentence in french or not known.cover(pair):
            continue
        french.add(sentence)
        chosen.append(pair)
        if len(chosen) == size:
            return chosen
    raise ValueError(f"only {len(chosen)} of {size} pairs")


def pick_unseen(draw: Draw, pairs: list[Pair], size: int, known: KnownWords) -> list[Pair]:
    """Pick unseen pairs so that the kinds share the group and no combination fills it alone."""
    chosen: list[Pair] = []
    french: set[str] = set()
    counts: dict[tuple[str, str, str], int] = {}
    quota = {"adjective": 0.35, "construction": 0.3, "template": 0.2, "number": 0.15}
    for kind in KINDS:
        candidates = draw.shuffled([pair for pair in pairs if held_out(pair.tags)[0][0] == kind])
        wanted = round(quota[kind] * size)
        for limit in (1, 2, 3, 5, 8, 20):
            for pair in candidates:
                tag = held_out(pair.tags)[0]
                if wanted == 0 or counts.get(tag, 0) >= limit:
                    continue
                if key(pair.french) not in french and known.cover(pair):
                    chosen.append(pair)
                    french.add(key(pair.french))
                    counts[tag] = counts.get(tag, 0) + 1
                    wanted -= 1
        if wanted:
            raise ValueError(f"{wanted} pairs of kind {kind} are missing")
    return chosen


def build(seed: int = SEED) -> Corpus:
    """Build the whole corpus from a seed."""
    draw = Draw(seed)
    surplus = (VALID_SIZE + SEEN_SIZE) * 2
    seen, unseen = draw_pool(draw, TRAIN_SIZE + surplus, UNSEEN_SIZE * 6)
    fixed = {key(french) for _, french in fixed_pairs()}
    shuffled = draw.shuffled(seen)
    kept_back = [pair for pair in shuffled if key(pair.french) not in fixed][:surplus]
    back = {key(pair.french) for pair in kept_back}
    train = without_french(shuffled, back)
    known = frequent_words(train)
    evaluation = pick_single(kept_back, VALID_SIZE + SEEN_SIZE, known)
    taken = {key(pair.french) for pair in evaluation}
    # What was kept back without being picked goes to train; so do further wordings of no evaluation sentence.
    train = (train + [pair for pair in kept_back if key(pair.french) not in taken])[:TRAIN_SIZE]
    known = frequent_words(train)
    everything = {key(pair.french) for pair in train} | taken
    english = {key(pair.english) for pair in train + evaluation}
    fresh = [pair for pair in unseen if key(pair.french) not in everything and key(pair.english) not in english]
    test_unseen = pick_unseen(draw, fresh, UNSEEN_SIZE, known)
    groups = ["seen"] * SEEN_SIZE + ["unseen"] * UNSEEN_SIZE
    labelled = draw.shuffled(list(zip(evaluation[VALID_SIZE:] + test_unseen, groups, strict=True)))
    return Corpus(
        train=draw.shuffled(train),
        valid=evaluation[:VALID_SIZE],
        test=[pair for pair, _ in labelled],
        groups=[group for _, group in labelled],
    )


def write(corpus: Corpus, directory: Path) -> None:
    """Write the files, one sentence a line."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, pairs in (("train", corpus.train), ("valid", corpus.valid), ("test", corpus.test)):
        write_lines(directory / f"{name}.en", [pair.english for pair in pairs])
        write_lines(directory / f"{name}.fr", [pair.french for pair in pairs])
    write_lines(directory / "test.groups", corpus.groups)


def write_lines(path: Path, lines: list[str]) -> None:
    """Write lines with a newline after each, whatever the system."""
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8"))
