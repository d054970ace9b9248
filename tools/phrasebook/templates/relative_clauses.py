"""Relative clauses with que: the participle agrees with the noun before it."""

from tools.phrasebook.clauses import (
    PERFECT,
    SIMPLE_PAST,
    Pronoun,
    VerbPhrase,
    english_clause,
    french_clause,
)
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import ONLY_ATTRIBUTIVE, adjectives_for
from tools.phrasebook.lexicon.people import HE, SHE, WE, YOU, I
from tools.phrasebook.lexicon.verbs import FRAMES
from tools.phrasebook.noun_phrases import noun_phrase
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, question, statement
from tools.phrasebook.templates.directions import be
from tools.phrasebook.templates.pronouns import construction
from tools.phrasebook.verb_choices import any_subject, with_time

RELATIVE_TENSES = (
    "buy",
    "lose",
    "find",
    "visit",
    "see",
    "book",
    "order",
    "rent",
    "receive",
    "wash",
    "sell",
    "choose",
    "read",
)


def relative_object(draw: Draw) -> Pair | None:
    """The dress that I bought yesterday is too small: la robe que j'ai achetée."""
    frame = draw.one([frame for frame in FRAMES if frame.verb.english in RELATIVE_TENSES and "P" in frame.uses])
    entry = draw.one(frame.objects)
    words = [word for word in adjectives_for(entry) if word.english not in ONLY_ATTRIBUTIVE]
    if (entry.number == "mass" and "massfood" not in entry.classes) or not words or entry.english == "seat":
        return None
    adjective = draw.one(words)
    phrase = noun_phrase(entry, "the")
    subject = draw.one((I, I, WE, HE, SHE, any_subject(draw)))
    action = VerbPhrase(frame.verb, pronoun=Pronoun("", (), phrase.gender, phrase.plural))
    time = draw.one(
        (("", ""), ("yesterday", "hier"), ("this morning", "ce matin"), ("last week", "la semaine dernière"))
    )
    tense = draw.one((SIMPLE_PAST, PERFECT)) if not time[0] else SIMPLE_PAST
    action = with_time(action, time)
    relative = english_clause(action, subject, tense), french_clause(action, subject, tense)
    verb = be(phrase)
    form = adjective.form(phrase.gender, phrase.plural)
    degree = draw.one((("very", "très"), ("not very", "très"), ("too", "trop")))
    if adjective.english in (
        "delicious",
        "excellent",
        "red",
        "blue",
        "green",
        "black",
        "white",
        "yellow",
        "grey",
        "brown",
        "vegetarian",
        "cheap",
        "available",
    ):
        degree = ("", "")
    elif degree[0] == "too" and adjective.english not in (
        "expensive",
        "noisy",
        "small",
        "big",
        "heavy",
        "warm",
        "cold",
    ):
        degree = ("very", "très")
    tags = (("adjective", adjective.english, entry.english), *construction(frame.verb, "relative clause"))
    predicate = join_french(
        "ne" if degree[0].startswith("not") else "", verb[1], "pas" if degree[0].startswith("not") else ""
    )
    return statement(
        " ".join(f"{phrase.english} that {relative[0]} {verb[0]} {degree[0]} {adjective.english}".split()),
        join_french(phrase.french, "que", relative[1], predicate, degree[1], form),
        tags,
    )


def relative_question(draw: Draw) -> Pair | None:
    """Where is the suitcase that you bought? Here are the photos that she sent."""
    frame = draw.one([frame for frame in FRAMES if frame.verb.english in RELATIVE_TENSES and "P" in frame.uses])
    entry = draw.one(frame.objects)
    if entry.number == "mass" or entry.classes & {
        "public",
        "sight",
        "show",
        "bookable",
        "drink",
        "dish",
        "snack",
        "lodging",
    }:
        return None
    phrase = noun_phrase(entry, "the", entry.number == "count" and draw.chance(0.5))
    subject = draw.one((YOU, YOU, WE, HE, SHE, I))
    action = VerbPhrase(frame.verb, pronoun=Pronoun("", (), phrase.gender, phrase.plural))
    action = with_time(action, draw.one((("", ""), ("yesterday", "hier"), ("this morning", "ce matin"))))
    relative = english_clause(action, subject, SIMPLE_PAST), french_clause(action, subject, SIMPLE_PAST)
    verb = be(phrase)
    english, french = f"{phrase.english} that {relative[0]}", join_french(phrase.french, "que", relative[1])
    tags = construction(frame.verb, "relative clause")
    kind = draw.below(3)
    if kind == 0:
        return question(f"where {verb[0]} {english}", f"où {verb[1]} {french}", tags)
    if kind == 1:
        here = "here are" if phrase.english_plural else "here is"
        return statement(f"{here} {english}", f"voici {french}", tags)
    return question(f"have you seen {english}", f"avez-vous vu {french}", tags)


TEMPLATES = (
    (relative_object, 3.5),
    (relative_question, 2.0),
)
