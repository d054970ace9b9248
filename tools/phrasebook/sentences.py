"""Finished sentence pairs: end marks, greetings, please, and the English choice between full and short forms."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from tools.phrasebook.draw import Draw
from tools.phrasebook.noun_phrases import Tag
from tools.phrasebook.orthography import finish_english, finish_french


@dataclass(frozen=True)
class Pair:
    """A sentence in both languages, with the combinations of words it shows."""

    english: str
    french: str
    tags: tuple[Tag, ...] = ()


Template = Callable[[Draw], Pair | None]

# Greetings before a request; the sentence that follows goes on with a small letter.
OPENINGS = (
    ("Excuse me,", "Excusez-moi,"),
    ("Excuse me, sir,", "Excusez-moi, monsieur,"),
    ("Excuse me, madam,", "Excusez-moi, madame,"),
    ("Hello,", "Bonjour,"),
    ("Good evening,", "Bonsoir,"),
    ("Hello, madam,", "Bonjour, madame,"),
    ("Hello, sir,", "Bonjour, monsieur,"),
)

SHORT_NEGATIONS = re.compile(r"\b(do|does|did|is|are|was|were|have_|has_|could|should|would) not\b")
SHORT_FORM = re.compile(
    r"\b(I|[Yy]ou|[Ww]e|[Tt]hey|[Hh]e|[Ss]he|[Ii]t|[Tt]hat|[Tt]here) (am|are|is|would|will|have_|has_)(?= \w)"
)
ENDINGS = {"am": "'m", "are": "'re", "is": "'s", "would": "'d", "will": "'ll", "have_": "'ve", "has_": "'s"}


def short_form(match: re.Match[str]) -> str:
    """Join a pronoun and its verb; that and there are shortened before is alone."""
    pronoun, verb = match.groups()
    if pronoun.lower() in ("that", "there") and verb != "is":
        return match.group()
    return pronoun + ENDINGS[verb]


def shorten(english: str) -> str:
    """Write every short form that speech would use: I'm, don't, can't, I'd like, I've lost."""
    if " not" in english:
        english = SHORT_NEGATIONS.sub(r"\1n't", english).replace("_n't", "n't")
    english = english.replace("cannot", "can't")
    return SHORT_FORM.sub(short_form, english).replace("_", "")


def in_register(draw: Draw, pair: Pair) -> Pair:
    """Write the whole English sentence in short forms or the whole of it in full forms; French has no such choice."""
    if draw.chance(0.5):
        return replace(pair, english=shorten(pair.english))
    return replace(pair, english=pair.english.replace("_", ""))


def statement(english: str, french: str, tags: tuple[Tag, ...] = (), mark: str = ".") -> Pair:
    """Make a statement of two clauses."""
    return Pair(finish_english(english, mark), finish_french(french, mark), tags)


def question(english: str, french: str, tags: tuple[Tag, ...] = ()) -> Pair:
    """Make a question."""
    return statement(english, french, tags, "?")


def courteous(
    draw: Draw, english: str, french: str, mark: str, tags: tuple[Tag, ...] = (), please: float = 0.4
) -> Pair:
    """Make a request or a question, often with a greeting before it or please behind it."""
    if draw.chance(please):
        english, french = f"{english}, please", f"{french}, s'il vous plaît"
    if draw.chance(0.3):
        opening = draw.one(OPENINGS)
        english, french = f"{opening[0]} {english}", f"{opening[1]} {french}"
    return statement(english, french, tags, mark)


def two_sentences(first: Pair, second: Pair) -> Pair:
    """Set two sentences on one line."""
    return Pair(f"{first.english} {second.english}", f"{first.french} {second.french}", first.tags + second.tags)
