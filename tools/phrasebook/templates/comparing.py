"""Comparisons, superlatives and preferences."""

from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import (
    ATTRIBUTIVE,
    COLOURS,
    ONLY_ATTRIBUTIVE,
    STATES,
    adjectives_for,
    english_comparative,
    english_superlative,
)
from tools.phrasebook.lexicon.nouns import noun, nouns_of
from tools.phrasebook.noun_phrases import Noun, NounPhrase, Tag, definite, noun_phrase
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, question, statement
from tools.phrasebook.templates.directions import be
from tools.phrasebook.templates.shopping import CLOTHES

COMPARED = (
    ("hotel campsite flat", "expensive comfortable quiet noisy modern clean big"),
    ("restaurant café", "expensive quiet noisy famous big small"),
    ("castle church cathedral museum bridge", "old big famous beautiful small"),
    ("park garden beach village", "quiet beautiful"),
    ("park garden square market", "big small"),
    ("dress skirt shirt coat hat scarf jacket jumper shoes boots gloves socks", "expensive pretty warm"),
    ("car bicycle train bus plane taxi", "expensive fast"),
    ("train boat plane bus tram underground", "fast"),
    ("suitcase bag rucksack", "heavy expensive big small"),
    ("book film exhibition concert museum", "interesting boring"),
    ("watch ring camera handbag wallet", "expensive"),
)


def comparison(draw: Draw) -> Pair | None:
    """The red dress is prettier than the blue dress; the hotel is quieter than the campsite."""
    nouns, words = draw.one(COMPARED)
    first, second = noun(draw.one(nouns.split())), noun(draw.one(nouns.split()))
    word = draw.one(words.split())
    adjective = ATTRIBUTIVE[word] if word in ATTRIBUTIVE else STATES[word]
    warm = {first.english, second.english} & {"dress", "skirt", "shirt", "shoes", "boots", "hat"}
    if first is second or (word == "warm" and warm):
        return None
    subject, other = noun_phrase(first, draw.one(("the", "this"))), noun_phrase(second, "the")
    verb = be(subject)
    form = adjective.form(subject.gender, subject.plural)
    english_degree, french_degree = draw.one(
        (
            (f"{english_comparative(adjective)} than", f"plus {form} que"),
            (f"{english_comparative(adjective)} than", f"plus {form} que"),
            (f"less {adjective.english} than", f"moins {form} que"),
            (f"as {adjective.english} as", f"aussi {form} que"),
        )
    )
    return statement(
        f"{subject.english} {verb[0]} {english_degree} {other.english}",
        join_french(subject.french, verb[1], french_degree, other.french),
        (("adjective", adjective.english, first.english),),
    )


def superlative_phrase(entry: Noun, word: str) -> tuple[str, str]:
    """Give the superlative: la plus belle plage, l'hôtel le plus cher, le meilleur restaurant."""
    adjective = ATTRIBUTIVE[word]
    plural = entry.number == "plural"
    english = f"the {english_superlative(adjective)} {entry.english}"
    form = adjective.form(entry.gender, plural)
    if word == "good":
        return english, definite(
            join_french(STATES["best"].form(entry.gender, plural), entry.french), entry.gender, plural
        )
    if adjective.precedes:
        return english, definite(join_french("plus", form, entry.french), entry.gender, plural)
    article = "les" if plural else "la" if entry.gender == "f" else "le"
    return english, join_french(definite(entry.french, entry.gender, plural), article, "plus", form)


def superlative(draw: Draw) -> Pair | None:
    """It is the best restaurant in the town."""
    entry = draw.one(nouns_of("eatery", "lodging", "sight", "place"))
    if entry.english in ("room", "flat", "house", "market"):
        return None
    words = [
        adjective.english
        for adjective in adjectives_for(entry)
        if adjective.english not in ONLY_ATTRIBUTIVE | {"excellent", "vegetarian", "cheap", "dirty", "small"}
    ]
    if not words:
        return None
    word = draw.one(words)
    english, french = superlative_phrase(entry, word)
    where = draw.one((("in the town", "de la ville"), ("in the region", "de la région"), ("in the country", "du pays")))
    start = draw.one(
        (("it is", "c'est"), ("this is", "c'est"), ("where is", "où est"), ("we visited", "nous avons visité"))
    )
    if start[0] == "we visited" and "sight" not in entry.classes:
        start = ("it is", "c'est")
    tags = (("adjective", word, entry.english),)
    if start[0] == "where is":
        return question(f"{start[0]} {english} {where[0]}", f"{start[1]} {french} {where[1]}", tags)
    return statement(f"{start[0]} {english} {where[0]}", f"{start[1]} {french} {where[1]}", tags)


def likes(draw: Draw) -> Pair:
    """I like this blue shirt, but I prefer the red shirt."""
    entry = draw.one([entry for entry in CLOTHES if "coloured" in entry.classes])
    first, second = draw.one(COLOURS), draw.one(COLOURS)
    phrase = noun_phrase(entry, "this", adjectives=(first,))
    tags: tuple[Tag, ...] = phrase.tags
    if first is second:
        return statement(f"I like {phrase.english} very much", f"j'aime beaucoup {phrase.french}", tags)
    other: NounPhrase = noun_phrase(entry, "the", adjectives=(second,))
    return statement(
        f"I like {phrase.english}, but I prefer {other.english}",
        f"j'aime {phrase.french}, mais je préfère {other.french}",
        tags + other.tags,
    )


TEMPLATES = (
    (comparison, 2.0),
    (superlative, 1.2),
    (likes, 1.2),
)
