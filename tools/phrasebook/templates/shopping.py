"""Buying things: wishes, prices, sizes, colours, comparisons."""

from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import (
    ATTRIBUTIVE,
    COLOURS,
    STATES,
    adjectives_for,
)
from tools.phrasebook.lexicon.nouns import noun, nouns_of
from tools.phrasebook.noun_choices import UNREQUESTED, described, some_of
from tools.phrasebook.noun_phrases import Noun, Tag, noun_group, noun_phrase
from tools.phrasebook.numerals import english_number, french_number
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, courteous, statement
from tools.phrasebook.templates.directions import be

CLOTHES = nouns_of("clothes")
WARES = nouns_of("ware", "clothes")
COUNTED = tuple(
    entry for entry in nouns_of("ordered", "snack", "fruit", "drink", "baked", "dish") if entry.number == "count"
)
WISHES = (
    ("I would like", "je voudrais"),
    ("I would like", "je voudrais"),
    ("we would like", "nous voudrions"),
    ("can I have", "est-ce que je peux avoir"),
    ("could I have", "est-ce que je pourrais avoir"),
    ("could we have", "est-ce que nous pourrions avoir"),
    ("could you give me", "pourriez-vous me donner"),
    ("give me", "donnez-moi"),
)
MEASURES = (
    ("a kilo of", "un kilo de", "kilo many"),
    ("two kilos of", "deux kilos de", "kilo many"),
    ("half a kilo of", "un demi-kilo de", "kilo many"),
    ("a bottle of", "une bouteille de", "bottled"),
    ("two bottles of", "deux bouteilles de", "bottled"),
    ("a glass of", "un verre de", "glass"),
    ("two glasses of", "deux verres de", "glass"),
    ("a cup of", "une tasse de", "cup"),
    ("a slice of", "une tranche de", "sliced"),
    ("three slices of", "trois tranches de", "sliced"),
    ("a litre of", "un litre de", "bottled"),
)
PREDICATES = ("expensive", "big", "small", "long", "short", "warm", "light", "heavy")


def wished(draw: Draw, english: str, french: str, tags: tuple[Tag, ...]) -> Pair:
    """Put a wish before a thing; a bare command always says please and never follows a greeting."""
    wish = draw.one(WISHES)
    if wish[0] == "give me":
        return statement(f"give me {english}, please", f"donnez-moi {french}, s'il vous plaît", tags)
    mark = "?" if wish[0].startswith(("can", "could")) else "."
    return courteous(draw, f"{wish[0]} {english}", f"{wish[1]} {french}", mark, tags, 0.7)


def wish_number(draw: Draw) -> Pair:
    """I would like two tickets, please."""
    entry = draw.one(COUNTED)
    limit = 12 if entry.classes & {"many", "ordered", "fruit"} else 6
    phrase = noun_phrase(entry, "number", count=draw.between(2, limit))
    return wished(draw, phrase.english, phrase.french, phrase.tags)


def wish_one(draw: Draw) -> Pair:
    """I'd like a coffee, please."""
    entry = draw.one(nouns_of("ordered", "snack", "drink", "baked", "dish", "massfood", "massdrink", "fruit", "many"))
    phrase = some_of(draw, entry, 0.2, UNREQUESTED)
    return wished(draw, phrase.english, phrase.french, (*phrase.tags, ("template", "wish", entry.english)))


def measured(entry: Noun, measure: tuple[str, str, str]) -> tuple[str, str]:
    """Put a noun behind a measure: a kilo of apples, un kilo de pommes."""
    plural = entry.number == "count" and measure[2] not in ("glass", "cup", "bottled", "sliced")
    english, french, _ = noun_group(entry, plural, ())
    return f"{measure[0]} {english}", join_french(measure[1], french)


def wish_measure(draw: Draw) -> Pair:
    """We would like a bottle of red wine, please."""
    measure = draw.one(MEASURES)
    entry = draw.one(nouns_of(*measure[2].split()))
    english, french = measured(entry, measure)
    return wished(draw, english, french, (("template", measure[0], entry.english),))


def do_you_have(draw: Draw) -> Pair:
    """Write pairs like «Do you have any stamps?»."""
    entry = draw.one(nouns_of("ware", "clothes", "ordered", "fruit", "baked", "massfood", "massdrink", "many"))
    plural = entry.number == "count" and ("many" in entry.classes or draw.chance(0.6))
    phrase = described(
        draw, entry, "some" if plural or entry.number == "mass" else "a", plural, 0.5, UNREQUESTED - {"good"}
    )
    english = phrase.english.replace("some ", "any ") if phrase.english.startswith("some ") else phrase.english
    tags = (*phrase.tags, ("template", "do you have", entry.english))
    if draw.chance(0.3):
        return statement(
            f"I am sorry, we do not have {phrase.english_negated}",
            join_french("je suis désolé, nous n'avons pas", phrase.french_negated),
            tags,
        )
    if draw.chance(0.15):
        group = noun_phrase(entry, "bare", plural).english
        bare = noun_group(entry, plural, ())[1]
        if entry.number in ("mass",) or plural:
            return statement(
                f"I am sorry, there is no more {group}" if not plural else f"I am sorry, there are no more {group}",
                join_french("je suis désolé, il n'y a plus de", bare),
                (("template", "no more", entry.english),),
            )
    return courteous(draw, f"do you have {english}", f"avez-vous {phrase.french}", "?", tags, 0.1)


def how_much(draw: Draw) -> Pair:
    """Write pairs like «How much are these red shoes?»."""
    entry = draw.one(nouns_of("ware", "clothes", "baked"))
    determiner = draw.one(("this", "the"))
    plural = draw.chance(0.3) and entry.number == "count"
    phrase = described(draw, entry, determiner, plural, 0.4, UNREQUESTED - {"beautiful"})
    return courteous(
        draw,
        f"how much {be(phrase)[0]} {phrase.english}",
        f"combien {'coûtent' if phrase.plural else 'coûte'} {phrase.french}",
        "?",
        (*phrase.tags, ("template", "how much", entry.english)),
        0.1,
    )


def euros(number: int, cents: int = 0) -> tuple[str, str]:
    """Spell a price: twelve euros fifty."""
    english = f"{english_number(number)} euro{'s' if number > 1 else ''}"
    french = f"{french_number(number)} euro{'s' if number > 1 else ''}"
    if cents:
        return f"{english} {english_number(cents)}", f"{french} {french_number(cents)}"
    return english, french


PRICES = (
    (nouns_of("clothes", "costly"), 15, 160),
    (nouns_of("drink"), 2, 7),
    (nouns_of("dish"), 6, 19),
    ((noun("ticket"), noun("book"), noun("guidebook"), noun("map")), 5, 40),
    (nouns_of("lodging"), 45, 300),
)


def price(draw: Draw) -> Pair:
    """The dress costs eighty-one euros."""
    nouns, low, high = draw.one(PRICES)
    number = draw.between(low, high)
    cents = draw.one((10, 20, 30, 40, 50, 60, 80)) if high < 100 and draw.chance(0.4) else 0
    english_price, french_price = euros(number, cents)
    form = draw.below(6)
    if form == 0:
        return statement(f"that is {english_price}", f"ça fait {french_price}")
    if form == 1:
        return statement(f"it costs {english_price}", f"ça coûte {french_price}")
    entry = draw.one(nouns)
    phrase = described(draw, entry, draw.one(("the", "this")), False, 0.3, UNREQUESTED - {"beautiful"})
    if "lodging" in entry.classes:
        english, french = draw.one(
            (("one night", "une nuit"), ("the room", "la chambre"), ("this room", "cette chambre"))
        )
        return statement(f"{english} costs {english_price}", f"{french} coûte {french_price}")
    return statement(
        f"{phrase.english} {'cost' if phrase.english_plural else 'costs'} {english_price}",
        f"{phrase.french} {'coûtent' if phrase.plural else 'coûte'} {french_price}",
        phrase.tags,
    )


def too_expensive(draw: Draw) -> Pair:
    """These shoes are too small."""
    entry = draw.one(nouns_of("clothes", "costly", "vehicle", "lodging"))
    fitting = [adjective.english for adjective in adjectives_for(entry)]
    if entry in CLOTHES:
        fitting += ["small", "big", "long", "short"] if entry.english not in ("hat", "shoes", "boots") else ["small"]
    choices = [word for word in PREDICATES if word in fitting]
    if not choices:
        return price(draw)
    word = draw.one(choices)
    adjective = ATTRIBUTIVE[word] if word in ATTRIBUTIVE else STATES[word]
    phrase = noun_phrase(entry, draw.one(("this", "the")))
    degree = draw.one(
        (("too", "trop"), ("very", "très"), ("a little too", "un peu trop"), ("much too", "beaucoup trop"))
    )
    verb = be(phrase)
    form = adjective.form(phrase.gender, phrase.plural)
    tags = (("adjective", word, entry.english),)
    think = ("I think that ", "je pense que ") if degree[0] != "very" and draw.chance(0.3) else ("", "")
    return statement(
        f"{think[0]}{phrase.english} {verb[0]} {degree[0]} {word}",
        f"{think[1]}{phrase.french} {verb[1]} {degree[1]} {form}",
        tags,
    )


def in_colour(draw: Draw) -> Pair:
    """Write pairs like «Do you have this shirt in blue? In a larger size?»."""
    entry = draw.one(CLOTHES)
    phrase = noun_phrase(entry, "this")
    colour = draw.one(COLOURS)
    english, french = draw.one(
        (
            (f"in {colour.english}", f"en {colour.masculine}"),
            (f"in {colour.english}", f"en {colour.masculine}"),
            ("in a larger size", "dans une taille plus grande"),
            ("in a smaller size", "dans une taille plus petite"),
            ("in another colour", "dans une autre couleur"),
        )
    )
    tags = (("colour", colour.english, entry.english),) if french.startswith("en ") else ()
    return courteous(
        draw, f"do you have {phrase.english} {english}", f"avez-vous {phrase.french} {french}", "?", tags, 0.1
    )


def shopping_wish(draw: Draw) -> Pair:
    """I am looking for a red dress for my sister."""
    entry = draw.one(nouns_of("clothes", "costly", "ware"))
    phrase = some_of(draw, entry, 0.75)
    english, french = draw.one(
        (
            ("I am looking for", "je cherche"),
            ("I would like to buy", "je voudrais acheter"),
            ("I need", "j'ai besoin de"),
            ("we are looking for", "nous cherchons"),
            ("can you show me", "pouvez-vous me montrer"),
        )
    )
    if english == "can you show me" and not entry.classes & {"clothes", "costly"}:
        english, french = "I would like to buy", "je voudrais acheter"
    for_whom = draw.one(
        (
            ("", ""),
            ("", ""),
            ("for my sister", "pour ma sœur"),
            ("for my husband", "pour mon mari"),
            ("for my mother", "pour ma mère"),
            ("for my son", "pour mon fils"),
            ("for the trip", "pour le voyage"),
        )
    )
    if entry.english in ("stamp", "ticket", "map", "charger"):
        for_whom = ("", "")
    wished = phrase.after(french) if french.endswith(" de") else f"{french} {phrase.french}"
    mark = "?" if english.startswith("can") else "."
    return courteous(
        draw,
        f"{english} {phrase.english} {for_whom[0]}".strip(),
        join_french(wished, for_whom[1]),
        mark,
        (*phrase.tags, ("template", english, entry.english)),
        0.15 if mark == "?" else 0,
    )


def try_on(draw: Draw) -> Pair:
    """Write pairs like «Can I try on this dress?»."""
    entry = draw.one(CLOTHES)
    phrase = described(draw, entry, "this", False, 0.5, UNREQUESTED)
    english, french = draw.one(
        (
            ("can I try on", "est-ce que je peux essayer"),
            ("I would like to try on", "je voudrais essayer"),
            ("could I try on", "est-ce que je pourrais essayer"),
        )
    )
    mark = "." if english.startswith("I ") else "?"
    return courteous(
        draw,
        f"{english} {phrase.english}",
        f"{french} {phrase.french}",
        mark,
        (*phrase.tags, ("template", "try on", entry.english)),
        0.3,
    )


TEMPLATES = (
    (wish_number, 5.0),
    (wish_one, 4.0),
    (wish_measure, 2.5),
    (do_you_have, 3.5),
    (how_much, 2.0),
    (price, 4.0),
    (too_expensive, 2.5),
    (in_colour, 1.5),
    (shopping_wish, 3.0),
    (try_on, 1.0),
)
