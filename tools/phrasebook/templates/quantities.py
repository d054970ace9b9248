"""Quantities, which and how many, all, nothing, nobody, only, and questions with question words."""

from tools.phrasebook import french_verbs
from tools.phrasebook.clauses import (
    SIMPLE_PAST,
    VerbPhrase,
    around,
    english_clause,
    french_clause,
)
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import ATTRIBUTIVE, STATES
from tools.phrasebook.lexicon.nouns import nouns_of
from tools.phrasebook.lexicon.people import HE, SHE, THEY, WE, I
from tools.phrasebook.lexicon.places import LANGUAGES
from tools.phrasebook.noun_phrases import noun_phrase
from tools.phrasebook.numerals import english_number, french_number
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, question, statement
from tools.phrasebook.templates.actions import construction
from tools.phrasebook.templates.health import AVOIR
from tools.phrasebook.verb_choices import PAST_TIMES, any_action, any_subject, with_time

BOUGHT = nouns_of("ware", "clothes", "fruit", "ordered")
CROWDS = ("tourist", "child", "student")


def amounts(draw: Draw) -> Pair:
    """I have bought a lot of postcards; we do not have enough money; there are too many tourists."""
    entry = draw.one([entry for entry in BOUGHT if entry.number == "count"])
    determiner = draw.one(("a lot of", "several", "a few", "too much", "enough"))
    phrase = noun_phrase(entry, determiner, True)
    tags = (("template", determiner, entry.english),)
    kind = draw.below(4)
    subject = any_subject(draw)
    if kind == 0:
        action = VerbPhrase(any_action(draw, "P", subject, 0.0, frozenset(("buy",))).verb, phrase)
        if draw.chance(0.5):
            action = with_time(action, draw.one(PAST_TIMES))
        return statement(
            english_clause(action, subject, SIMPLE_PAST), french_clause(action, subject, SIMPLE_PAST), tags
        )
    if kind == 1:
        mass = draw.one(nouns_of("massfood", "massdrink", "money"))
        mass_phrase = noun_phrase(mass, draw.one(("enough", "a lot of", "too much")))
        speaker = draw.one((I, WE, THEY))
        if mass_phrase.english.startswith("enough") and draw.chance(0.5):
            return statement(
                f"{speaker.english} do not have {mass_phrase.english}",
                join_french(speaker.french, around(AVOIR[speaker.person], "pas"), mass_phrase.french),
            )
        return statement(
            f"{speaker.english} have {mass_phrase.english}",
            join_french(speaker.french, AVOIR[speaker.person], mass_phrase.french),
        )
    if kind == 2:
        crowd = draw.one([one for one in nouns_of("profession", "offspring") if one.english in CROWDS])
        people = noun_phrase(crowd, draw.one(("a lot of", "too much", "a few")), True)
        place = noun_phrase(draw.one(nouns_of("sight", "station")), "the")
        return statement(
            f"there are {people.english} in {place.english}".replace("in the beach", "on the beach")
            .replace("in the market", "at the market")
            .replace("in the bridge", "on the bridge"),
            f"il y a {people.french} dans {place.french}".replace("dans la plage", "sur la plage")
            .replace("dans le marché", "au marché")
            .replace("dans le pont", "sur le pont"),
        )
    asked = noun_phrase(entry, draw.one(("enough", "several")), True)
    return question(f"do you have {asked.english}", f"avez-vous {asked.french}", tags)


def how_many(draw: Draw) -> Pair:
    """Write pairs like «How many tickets do you want? How many children do you have?»."""
    kind = draw.below(4)
    if kind == 0:
        entry = draw.one(
            [entry for entry in nouns_of("ordered", "fruit", "snack", "drink", "sliced") if entry.number != "luggage"]
        )
        phrase = noun_phrase(entry, "how much", entry.number == "count")
        return question(
            f"{phrase.english} do you want", f"{phrase.french} voulez-vous", (("template", "how many", entry.english),)
        )
    if kind == 1:
        entry = draw.one(nouns_of("offspring", "family", "owned"))
        if (
            entry.english in ("wife", "husband", "mother", "father", "passport", "grandmother", "grandfather")
            or entry.number != "count"
        ):
            entry = nouns_of("offspring")[0]
        phrase = noun_phrase(entry, "how much", True)
        return question(
            f"{phrase.english} do you have", f"{phrase.french} avez-vous", (("template", "how many", entry.english),)
        )
    if kind == 2:
        entry = draw.one(
            [one for one in nouns_of("duration") if one.english not in ("minute", "year", "hour", "month")]
        )
        phrase = noun_phrase(entry, "how much", True)
        verb = draw.one((("are you staying", "restez-vous"), ("are we staying", "est-ce que nous restons")))
        place = draw.one((("", ""), ("here", "ici"), ("in France", "en France"), ("at the hotel", "à l'hôtel")))
        return question(f"{phrase.english} {verb[0]} {place[0]}".strip(), join_french(phrase.french, verb[1], place[1]))
    entry = draw.one([entry for entry in BOUGHT if entry.number != "pair"])
    phrase = noun_phrase(entry, "how much", entry.number == "count")
    return question(
        f"{phrase.english} did you buy",
        f"{phrase.french} avez-vous {french_verbs.participle('acheter', phrase.gender, phrase.plural)}",
        (("template", "how many", entry.english),),
    )


def all_of(draw: Draw) -> Pair:
    """All the rooms are occupied; all the shops are closed; I have lost all my keys."""
    kind = draw.below(3)
    if kind == 0:
        entry = draw.one([entry for entry in nouns_of("opens") if entry.english != "post office"])
        state = STATES[draw.one(("open", "closed"))]
        when = draw.one(
            (("on Sundays", "le dimanche"), ("today", "aujourd'hui"), ("on Mondays", "le lundi"), ("now", "maintenant"))
        )
    elif kind == 1:
        entry = draw.one([entry for entry in nouns_of("roomlike", "lodging") if entry.english not in ("house", "flat")])
        state = STATES["occupied"] if "roomlike" in entry.classes else STATES["full"]
        when = draw.one((("", ""), ("this evening", "ce soir"), ("this week", "cette semaine"), ("tomorrow", "demain")))
    else:
        entry = draw.one([entry for entry in nouns_of("clothes", "costly") if entry.number in ("count", "plural")])
        state = ATTRIBUTIVE["expensive"]
        when = draw.one((("here", "ici"), ("in this shop", "dans ce magasin")))
    phrase = noun_phrase(entry, "the", True)
    every = "toutes" if phrase.gender == "f" else "tous"
    form = state.form(phrase.gender, True)
    return statement(
        f"all {phrase.english} are {state.english} {when[0]}".strip(),
        join_french(every, phrase.french, "sont", form, when[1]),
        (("adjective", state.english, entry.english),),
    )


NOTHING_VERBS = ("buy", "see", "eat", "drink", "hear", "order", "lose", "find", "pay", "understand")


def nothing(draw: Draw) -> Pair:
    """I did not buy anything: je n'ai rien acheté. Nobody speaks English here."""
    kind = draw.below(4)
    if kind == 0:
        language = draw.one(LANGUAGES)
        where = draw.one(
            (
                ("here", "ici"),
                ("at the hotel", "à l'hôtel"),
                ("at the station", "à la gare"),
                ("at reception", "à la réception"),
            )
        )
        return statement(f"nobody speaks {language[0]} {where[0]}", f"personne ne parle {language[1]} {where[1]}")
    if kind == 1:
        subject = draw.one((I, WE, HE, SHE, THEY))
        words = (("know", "connaître"), ("see", "voir"), ("wait for", "attendre"), ("look for", "chercher"))
        english, french = draw.one(words)
        finite = french_verbs.present(french, subject.person)
        if english in ("wait for", "look for"):
            gerund = {"wait for": "waiting for", "look for": "looking for"}[english]
            return statement(
                f"{subject.english} {subject.be} not {gerund} anyone",
                join_french(subject.french, "ne", finite, "personne"),
            )
        return statement(
            f"{subject.english} {'does' if subject.third else 'do'} not {english} anyone here",
            join_french(subject.french, "ne", finite, "personne ici"),
        )
    subject = any_subject(draw)
    base = any_action(draw, "P", subject, 0.0, frozenset(NOTHING_VERBS))
    action = VerbPhrase(base.verb)
    if base.object is None:
        return nothing(draw)
    if draw.chance(0.4):
        action = with_time(action, draw.one(PAST_TIMES[:6]))
    return statement(
        english_clause(action, subject, SIMPLE_PAST, "rien"),
        french_clause(action, subject, SIMPLE_PAST, "rien"),
        construction(action, "rien"),
    )


def only(draw: Draw) -> Pair:
    """We only have two rooms: nous n'avons que deux chambres."""
    subject = draw.one((I, WE, THEY, HE, SHE))
    verb = "has" if subject.third else "have"
    kind = draw.below(3)
    count = draw.between(2, 8)
    entry = draw.one(nouns_of("roomlike", "owned", "ordered", "duration", "family"))
    if entry.number != "count" or entry.english in ("wife", "husband", "mother", "father"):
        entry = nouns_of("roomlike")[0]
    if kind == 0:
        amount = draw.one((5, 10, 15, 20, 30, 50))
        return statement(
            f"{subject.english} only {verb} {english_number(amount)} euros",
            join_french(subject.french, "ne", AVOIR[subject.person], "que", french_number(amount), "euros"),
        )
    phrase = noun_phrase(entry, "number", count=min(count, 3) if entry.classes & {"owned", "family"} else count)
    return statement(
        f"{subject.english} only {verb} {phrase.english}",
        join_french(subject.french, "ne", AVOIR[subject.person], "que", phrase.french),
        phrase.tags,
    )


TEMPLATES = (
    (amounts, 2.0),
    (how_many, 2.0),
    (all_of, 1.0),
    (nothing, 1.5),
    (only, 1.0),
)
