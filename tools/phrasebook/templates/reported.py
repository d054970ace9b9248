"""Clauses after I think that, when, do you know whether, and who or that as a subject."""

from collections.abc import Callable

from tools.phrasebook.clauses import (
    GOING_TO,
    english_clause,
    french_clause,
)
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import STATES
from tools.phrasebook.lexicon.nouns import nouns_of
from tools.phrasebook.lexicon.people import HE, SHE, THEY, WE, I, relative
from tools.phrasebook.lexicon.places import CITIES
from tools.phrasebook.noun_phrases import Tag, noun_phrase
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, statement
from tools.phrasebook.templates.actions import construction
from tools.phrasebook.templates.calendar_talk import WEATHER
from tools.phrasebook.templates.health import ETRE
from tools.phrasebook.templates.joined import FUTURE_PLANS, feeling, pronoun
from tools.phrasebook.verb_choices import FUTURE_TIMES, any_action, with_time


def when_clause(draw: Draw) -> Pair:
    """When we arrived at the hotel, the restaurant was closed."""
    subject = draw.one((I, WE, HE, SHE, THEY))
    ending = ("e" if subject.gender == "f" else "") + ("s" if subject.plural else "")
    arrived = draw.one(nouns_of("opens"))
    place = noun_phrase(arrived, "the")
    city = draw.one(CITIES)
    where = (f"at {place.english}", place.after("à")) if draw.chance(0.5) else (f"in {city[0]}", f"à {city[1]}")
    start = (
        f"when {subject.english} arrived {where[0]}",
        join_french("quand", subject.french, ETRE[subject.person], f"arrivé{ending}", where[1]),
    )
    if draw.chance(0.5):
        thing = noun_phrase(draw.one(nouns_of("opens")), "the")
        state = STATES[draw.one(("open", "closed"))]
        if where[0].startswith("at "):
            thing = noun_phrase(arrived, "the")
            rest = f"it was {state.english}", f"{thing.pronoun} était {state.form(thing.gender, False)}"
        else:
            rest = f"{thing.english} was {state.english}", f"{thing.french} était {state.form(thing.gender, False)}"
    else:
        weather = draw.one(WEATHER)
        rest = weather[2], weather[3]
    return statement(f"{start[0]}, {rest[0]}", f"{start[1]}, {rest[1]}")


def opinions(draw: Draw) -> Pair:
    """I think that the museum is closed; I hope that you are not tired; he says that he has lost his key."""
    start, speaker = draw.one(
        (
            (("I think that", "je pense que"), I),
            (("I know that", "je sais que"), I),
            (("he says that", "il dit que"), HE),
            (("she says that", "elle dit que"), SHE),
            (("we think that", "nous pensons que"), WE),
            (("my husband thinks that", "mon mari pense que"), HE),
        )
    )
    kind = draw.below(3)
    if kind == 0:
        thing = noun_phrase(draw.one(nouns_of("opens")), "the")
        state = STATES[draw.one(("open", "closed"))]
        when = draw.one(
            (
                ("today", "aujourd'hui"),
                ("tomorrow", "demain"),
                ("on Sundays", "le dimanche"),
                ("on Mondays", "le lundi"),
                ("now", "maintenant"),
            )
        )
        return statement(
            f"{start[0]} {thing.english} is {state.english} {when[0]}",
            join_french(start[1], thing.french, "est", state.form(thing.gender, False), when[1]),
        )
    if kind == 1:
        other = draw.one((HE, SHE, THEY, *(relative(word) for word in ("sister", "brother", "son", "daughter"))))
        clause = feeling(draw, other)
        if not other.pronoun:
            clause = (
                clause[0].replace(pronoun(other)[0], other.english, 1),
                clause[1].replace(pronoun(other)[1], other.french, 1),
            )
        return statement(f"{start[0]} {clause[0]}", join_french(start[1], clause[1]))
    if start[0] == "I know that":
        start = "I hope that", "j'espère que"
    phrase = any_action(draw, "F", speaker, 0.0, FUTURE_PLANS)
    phrase = with_time(phrase, draw.one(FUTURE_TIMES))
    return statement(
        f"{start[0]} {english_clause(phrase, speaker, GOING_TO)}",
        join_french(start[1], french_clause(phrase, speaker, GOING_TO)),
        construction(phrase, "future"),
    )


def indirect_questions(draw: Draw) -> Pair:
    """Write pairs like «Do you know whether the museum is open? Could you tell me what time the concert starts?»."""
    start = draw.one(
        (
            ("do you know", "savez-vous"),
            ("could you tell me", "pourriez-vous me dire"),
            ("can you tell me", "pouvez-vous me dire"),
            ("I do not know", "je ne sais pas"),
            ("I would like to know", "je voudrais savoir"),
        )
    )
    mark = "." if start[0].startswith("I ") else "?"
    tags: tuple[Tag, ...] = ()
    kind = draw.below(4)
    if kind == 0:
        thing = noun_phrase(draw.one(nouns_of("opens")), "the")
        state = STATES[draw.one(("open", "closed"))]
        when = draw.one(
            (("today", "aujourd'hui"), ("tomorrow", "demain"), ("on Sundays", "le dimanche"), ("now", "maintenant"))
        )
        clause = (
            f"whether {thing.english} is {state.english} {when[0]}",
            join_french("si", thing.french, "est", state.form(thing.gender, False), when[1]),
        )
    elif kind == 1:
        entry = draw.one(nouns_of("show", "event"))
        thing = noun_phrase(entry, "the")
        verb = draw.one((("starts", "commence"), ("finishes", "finit")))
        clause = f"what time {thing.english} {verb[0]}", f"à quelle heure {verb[1]} {thing.french}"
        tags = (("template", "event time", entry.english),)
    elif kind == 2:
        city = draw.one(CITIES)
        line = draw.one((("train", "le train"), ("bus", "le bus")))
        clause = f"what time the {line[0]} to {city[0]} leaves", f"à quelle heure part {line[1]} pour {city[1]}"
    else:
        entry = draw.one(nouns_of("ware", "clothes"))
        thing = noun_phrase(entry, "this")
        clause = (
            f"how much {thing.english} {'cost' if thing.english_plural else 'costs'}",
            f"combien {'coûtent' if thing.plural else 'coûte'} {thing.french}",
        )
        tags = (("template", "how much", entry.english),)
    return statement(f"{start[0]} {clause[0]}", join_french(start[1], clause[1]), tags, mark)


SHOPS = (
    ("a shop", "un magasin"),
    ("a bookshop", "une librairie"),
    ("a pharmacy", "une pharmacie"),
    ("a supermarket", "un supermarché"),
)


def looking_for_who(draw: Draw) -> Pair:
    """I am looking for a shop that sells stamps; the man who works at reception speaks English."""
    start = draw.one((("I am looking for", "je cherche"), ("is there", "y a-t-il"), ("do you know", "connaissez-vous")))
    entry = draw.one(
        [
            entry
            for entry in nouns_of("ware", "clothes", "fruit", "fresh")
            if entry.number != "pair" and entry.english != "ticket"
        ]
    )
    shop = SHOPS[0]
    if entry.english in ("book", "map", "guidebook"):
        shop = draw.one(SHOPS[:2])
    if "fruit" in entry.classes:
        shop = draw.one((SHOPS[0], SHOPS[3]))
    sold = noun_phrase(entry, "some", entry.number == "count")
    tail = draw.one((("near here", "près d'ici"), ("", ""))) if start[0] != "I am looking for" else ("", "")
    english = f"{start[0]} {shop[0]} that sells {sold.english.removeprefix('some ')} {tail[0]}".strip()
    french = join_french(start[1], shop[1], "qui vend", sold.french, tail[1])
    tags = (("template", "shop that sells", entry.english), ("template", start[0], shop[0].removeprefix("a ")))
    return statement(english, french, tags, "." if start[0].startswith("I ") else "?")


TEMPLATES: tuple[tuple[Callable[[Draw], Pair], float], ...] = (
    (when_clause, 2.0),
    (opinions, 2.5),
    (indirect_questions, 2.5),
    (looking_for_who, 1.2),
)
