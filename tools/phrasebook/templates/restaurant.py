"""At the restaurant: tables, orders, complaints, praise, the bill."""

from tools.phrasebook.calendar import DAYS, english_clock, french_clock
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import ATTRIBUTIVE, STATES
from tools.phrasebook.lexicon.nouns import noun, nouns_of
from tools.phrasebook.noun_choices import UNREQUESTED, described, some_of
from tools.phrasebook.noun_phrases import Tag, noun_phrase
from tools.phrasebook.numerals import english_number, french_number
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, courteous, question, statement
from tools.phrasebook.templates.directions import be

FOODS = nouns_of("dish", "sweetdish", "cooked")
ORDERED = nouns_of("dish", "sweetdish", "cooked", "drink")
BROUGHT = nouns_of("brought")
QUALITIES = {
    "cold": nouns_of("hotdish", "hotdrink", "cooked"),
    "salty": nouns_of("hotdish", "cooked", "dish"),
    "spicy": nouns_of("hotdish", "meaty", "meal"),
    "sweet": nouns_of("sweetdish", "hotdrink"),
    "hot": nouns_of("hotdish", "hotdrink"),
    "expensive": nouns_of("finedrink", "meal", "dish"),
    "delicious": nouns_of("dish", "sweetdish", "meal", "cooked"),
    "excellent": nouns_of("dish", "sweetdish", "meal", "cooked", "finedrink"),
    "good": nouns_of("dish", "sweetdish", "meal", "cooked", "finedrink"),
    "dirty": nouns_of("tableware"),
    "clean": nouns_of("tableware"),
    "broken": nouns_of("tableware"),
}
WITHOUT = (
    ("coffee", "sugar"),
    ("coffee", "milk"),
    ("tea", "sugar"),
    ("tea", "milk"),
    ("tea", "honey"),
    ("pancake", "sugar"),
    ("pancake", "jam"),
    ("pancake", "honey"),
    ("sandwich", "butter"),
    ("sandwich", "ham"),
    ("sandwich", "cheese"),
    ("salad", "cheese"),
    ("salad", "chicken"),
    ("omelette", "cheese"),
    ("omelette", "ham"),
    ("pizza", "ham"),
    ("pizza", "cheese"),
)


def table_for(draw: Draw) -> Pair:
    """I would like to book a table for four people for Saturday evening."""
    count = draw.between(2, 10)
    start = draw.one(
        (
            ("I would like to book a table", "je voudrais réserver une table"),
            ("I would like a table", "je voudrais une table"),
            ("I have booked a table", "j'ai réservé une table"),
            ("we have booked a table", "nous avons réservé une table"),
            ("do you have a table", "avez-vous une table"),
            ("can I book a table", "est-ce que je peux réserver une table"),
        )
    )
    english = f"{start[0]} for {english_number(count)}".replace("have booked", "have_ booked")
    french = f"{start[1]} pour {french_number(count)}"
    if draw.chance(0.5):
        english, french = f"{english} people", f"{french} personnes"
    if draw.chance(0.7):
        day = draw.one(DAYS)
        hour, minute = draw.one((19, 20, 21, 12)), draw.one((0, 15, 30))
        when = draw.one(
            (
                (f"at {english_clock(hour, minute)}", f"à {french_clock(hour, minute)}"),
                (f"for {day[0]} evening", f"pour {day[1]} soir"),
                ("for this evening", "pour ce soir"),
                ("for tomorrow evening", "pour demain soir"),
                ("near the window", "près de la fenêtre"),
                ("outside", "dehors"),
            )
        )
        english, french = f"{english} {when[0]}", f"{french} {when[1]}"
    mark = "?" if start[0].startswith(("do", "can")) else "."
    return courteous(draw, english, french, mark, (), 0.3 if "have_" not in english else 0)


def order(draw: Draw) -> Pair:
    """I will have the fish, and my wife would like the soup."""
    entry, other = draw.one(ORDERED), draw.one(ORDERED)
    determiner = "the" if entry in FOODS else "a"
    phrase = described(draw, entry, determiner, False, 0.1, UNREQUESTED)
    second = noun_phrase(other, "the" if other in FOODS else "a")
    english, french = f"I will have {phrase.english}", f"je vais prendre {phrase.french}"
    tags = (*phrase.tags, ("template", "I will have", entry.english))
    form = draw.below(4)
    if form == 0:
        return courteous(draw, english, french, ".", tags, 0.6)
    if form == 1 and other is not entry:
        who = draw.one((("my wife", "ma femme"), ("my husband", "mon mari"), ("my son", "mon fils"), ("she", "elle")))
        return statement(
            f"{english}, and {who[0]} would like {second.english}",
            f"{french}, et {who[1]} voudrait {second.french}",
            tags,
        )
    if form == 2 and other is not entry:
        return courteous(
            draw,
            f"{english} and {second.english}",
            f"{french} et {second.french}",
            ".",
            tags,
            0.6,
        )
    start = draw.one((("we ordered", "nous avons commandé"), ("I ordered", "j'ai commandé")))
    if other is entry:
        return statement(f"{start[0]} {phrase.english}", f"{start[1]} {phrase.french}", tags)
    return statement(
        f"{start[0]} {phrase.english}, not {second.english}",
        f"{start[1]} {phrase.french}, pas {second.french}",
        tags,
    )


def with_or_without(draw: Draw) -> Pair:
    """A coffee without sugar, please."""
    first, second = draw.one(WITHOUT)
    noun_first, noun_second = noun(first), noun(second)
    phrase = noun_phrase(noun_first, "a")
    count = draw.between(1, 4)
    if count > 1:
        phrase = noun_phrase(noun_first, "number", count=count)
    if draw.chance(0.5):
        english, french = f"without {second}", f"sans {noun_second.french}"
    else:
        some = noun_phrase(noun_second, "some")
        english, french = f"with {second}", f"avec {some.french}"
    start = draw.one((("", ""), ("I would like", "je voudrais"), ("can I have", "est-ce que je peux avoir")))
    body_english = f"{start[0]} {phrase.english} {english}".strip()
    body_french = f"{start[1]} {phrase.french} {french}".strip()
    if not start[0]:
        return statement(f"{body_english}, please", f"{body_french}, s'il vous plaît", phrase.tags)
    return courteous(draw, body_english, body_french, "?" if start[0].startswith("can") else ".", phrase.tags, 0.7)


def bring(draw: Draw) -> Pair:
    """Write pairs like «Could you bring us another fork, please?»."""
    start = draw.one(
        (
            ("could you bring me", "pourriez-vous m'apporter"),
            ("could you bring us", "pourriez-vous nous apporter"),
            ("can you bring me", "pouvez-vous m'apporter"),
            ("can you bring us", "pouvez-vous nous apporter"),
        )
    )
    entry = draw.one(nouns_of("brought", "seasoning", "drink", "massdrink", "sliced"))
    tags: tuple[Tag, ...] = (("template", "bring", entry.english),)
    if entry.english in ("bill", "menu"):
        phrase = noun_phrase(entry, "the")
        english, french = phrase.english, phrase.french
    elif entry.number == "count":
        form = draw.below(3)
        plain = noun_phrase(entry, "a")
        if form == 0:
            french = join_french("une autre" if entry.gender == "f" else "un autre", entry.french)
            english = f"another {entry.english}"
        elif form == 1:
            count = draw.between(2, 5)
            phrase = noun_phrase(entry, "number", count=count)
            english, french, tags = phrase.english, phrase.french, tags + phrase.tags
        else:
            english, french = plain.english, plain.french
            if "tableware" in entry.classes:
                adjective = ATTRIBUTIVE["clean"]
                phrase = noun_phrase(entry, "a", adjectives=(adjective,))
                english, french, tags = phrase.english, phrase.french, tags + phrase.tags
    else:
        phrase = some_of(draw, entry, 0.0)
        english, french = phrase.english, phrase.french
        if draw.chance(0.4):
            english = f"a little {entry.english}"
            french = join_french("un peu de", entry.french)
    return courteous(draw, f"{start[0]} {english}", f"{start[1]} {french}", "?", tags, 0.6)


def quality(draw: Draw) -> Pair:
    """The soup is cold; this plate is not clean."""
    word = draw.one(tuple(QUALITIES))
    entry = draw.one(QUALITIES[word])
    adjective = ATTRIBUTIVE[word] if word in ATTRIBUTIVE else STATES[word]
    praise = word in ("delicious", "excellent", "good", "clean")
    phrase = noun_phrase(entry, draw.one(("the", "this", "my")) if not praise else draw.one(("the", "this")))
    form = adjective.form(phrase.gender, phrase.plural)
    tags = (("adjective", word, entry.english),)
    english_be, french_be = be(phrase)
    if word == "clean":
        return statement(f"{phrase.english} is not clean", f"{phrase.french} n'est pas {form}", tags)
    degrees = [("", "")]
    if word in ("cold", "salty", "spicy", "sweet", "hot", "expensive"):
        degrees += [("too", "trop"), ("a little too", "un peu trop"), ("very", "très")]
    elif word in ("good", "dirty"):
        degrees = [("very", "très")] if word == "good" else [("", ""), ("very", "très")]
    degree = draw.one(degrees)
    opening = ("", "")
    if not praise and draw.chance(0.25):
        opening = draw.one((("I am sorry, but ", "je suis désolé, mais "), ("excuse me, but ", "excusez-moi, mais ")))
    past = praise and draw.chance(0.5)
    english_verb = ("were" if phrase.english_plural else "was") if past else english_be
    french_verb = ("étaient" if phrase.plural else "était") if past else french_be
    return statement(
        " ".join(f"{opening[0]}{phrase.english} {english_verb} {degree[0]} {word}".split()),
        " ".join(f"{opening[1]}{phrase.french} {french_verb} {degree[1]} {form}".split()),
        tags,
    )


def missing(draw: Draw) -> Pair:
    """There is no salt on the table; there is a mistake in the bill."""
    entry = draw.one(nouns_of("seasoning", "tableware"))
    plain = noun_phrase(entry, "a")
    where = draw.one((("on the table", "sur la table"), ("on our table", "sur notre table"), ("here", "ici")))
    if entry.number == "mass" or draw.chance(0.4):
        return statement(
            f"there is no {entry.english} {where[0]}",
            join_french("il n'y a pas de", entry.french, where[1]),
            (("template", "there is no", entry.english),),
        )
    start = draw.one((("I do not have", "je n'ai pas"), ("my wife does not have", "ma femme n'a pas")))
    return statement(
        f"{start[0]} {plain.english_negated}",
        join_french(start[1], plain.french_negated),
        (("template", "I do not have", entry.english),),
    )


def diet(draw: Draw) -> Pair:
    """I never eat meat; my sister does not drink wine; I am allergic to milk."""
    eaten = draw.chance(0.5)
    entry = draw.one(nouns_of("meaty", "cooked") if eaten else nouns_of("massdrink"))
    if entry.english in ("water", "rice"):
        entry = noun("meat") if eaten else noun("wine")
    subject = draw.one(
        (
            ("I", "je", "mange", "bois"),
            ("my husband", "mon mari", "mange", "boit"),
            ("my sister", "ma sœur", "mange", "boit"),
            ("she", "elle", "mange", "boit"),
            ("he", "il", "mange", "boit"),
            ("we", "nous", "mangeons", "buvons"),
            ("my parents", "mes parents", "mangent", "boivent"),
            ("my children", "mes enfants", "mangent", "boivent"),
        )
    )
    plural = subject[0] in ("I", "we", "my parents", "my children")
    verb = "eat" if eaten else "drink"
    french_verb = subject[2] if eaten else subject[3]
    negation = draw.one((("not", "pas"), ("never", "jamais"), ("no longer", "plus")))
    if negation[0] == "not":
        english = f"{subject[0]} {'do' if plural else 'does'} not {verb} {entry.english}"
    else:
        english = f"{subject[0]} {negation[0]} {verb}{'' if plural else 's'} {entry.english}"
    return statement(
        english,
        join_french(subject[1], "ne", french_verb, negation[1], "de", entry.french),
        (("construction", verb, f"present {negation[1]}"),),
    )


def recommend(draw: Draw) -> Pair:
    """Write pairs like «The fish is served with rice; would you like the soup or the salad?»."""
    entry, other = draw.one(nouns_of("meaty")), draw.one(FOODS)
    phrase, second = noun_phrase(entry, "the"), noun_phrase(other, "the")
    form = draw.below(3)
    if form == 0:
        side = draw.one((noun("rice"), noun("potato"), noun("mushroom"), noun("salad")))
        with_side = noun_phrase(side, "a", "many" in side.classes)
        served = "servie" if phrase.gender == "f" else "servi"
        return statement(
            f"{phrase.english} is served with {with_side.english.removeprefix('some ')}",
            f"{phrase.french} est {served} avec {with_side.french}",
        )
    if form == 1 and other is not entry:
        return question(
            f"would you like {phrase.english} or {second.english}", f"voulez-vous {phrase.french} ou {second.french}"
        )
    start = draw.one((("I recommend", "je vous recommande"), ("do you recommend", "recommandez-vous")))
    if start[0].startswith("do"):
        return question(f"{start[0]} {second.english}", f"{start[1]} {second.french}")
    return statement(f"{start[0]} {second.english}", f"{start[1]} {second.french}")


def offer(draw: Draw) -> Pair:
    """Write pairs like «Would you like some more water? Who ordered the soup?»."""
    entry = draw.one(nouns_of("drink", "massdrink", "massfood", "sweetdish", "dish"))
    phrase = noun_phrase(entry, "a")
    tags = (("template", "would you like", entry.english),)
    if entry.number == "mass" and draw.chance(0.4):
        return question(
            f"would you like a little more {entry.english}",
            join_french("voulez-vous encore un peu de", entry.french),
            tags,
        )
    if entry.number == "count" and draw.chance(0.3):
        other = "une autre" if entry.gender == "f" else "un autre"
        return question(f"would you like another {entry.english}", f"voulez-vous {other} {entry.french}", tags)
    return question(f"would you like {phrase.english}", f"voulez-vous {phrase.french}", tags)


TEMPLATES = (
    (table_for, 2.5),
    (order, 3.5),
    (with_or_without, 2.0),
    (bring, 2.5),
    (quality, 3.0),
    (missing, 0.8),
    (diet, 1.5),
    (recommend, 1.5),
    (offer, 1.5),
)
