"""Questions with question words: which, where, when, why, who."""

from tools.phrasebook import french_verbs
from tools.phrasebook.clauses import (
    CONTINUOUS,
    SIMPLE_PAST,
    VerbPhrase,
    english_clause,
    english_question,
    english_verb_phrase,
    french_clause,
    french_infinitive,
    french_question,
)
from tools.phrasebook.draw import Draw
from tools.phrasebook.english_verbs import present_participle
from tools.phrasebook.lexicon.adjectives import STATES
from tools.phrasebook.lexicon.nouns import nouns_of
from tools.phrasebook.lexicon.people import HE, SHE, THEY, YOU
from tools.phrasebook.noun_phrases import noun_phrase
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, question, statement
from tools.phrasebook.templates.actions import SUGGESTED, construction
from tools.phrasebook.templates.directions import be
from tools.phrasebook.verb_choices import any_action, any_subject


def which(draw: Draw) -> Pair:
    """Write pairs like «Which dress do you prefer? Which is your suitcase?»."""
    kind = draw.below(3)
    if kind == 0:
        entry = draw.one(nouns_of("clothes", "lodging", "costly", "readable", "dish", "sweetdish"))
        phrase = noun_phrase(entry, "which", draw.chance(0.2) and entry.number == "count")
        verb = draw.one(
            (
                ("do you prefer", "préférez-vous"),
                ("do you want", "voulez-vous"),
                ("do you recommend", "recommandez-vous"),
            )
        )
        return question(
            f"{phrase.english} {verb[0]}", f"{phrase.french} {verb[1]}", (("template", "which", entry.english),)
        )
    if kind == 1:
        entry = draw.one(nouns_of("owned"))
        phrase = noun_phrase(entry, "my", False, (), 0, draw.one((4, 4, 3)))
        which_form = "quel" + ("le" if phrase.gender == "f" else "") + ("s" if phrase.plural else "")
        if entry.english == "luggage":
            return question("which luggage is yours", "quels bagages sont à vous")
        english_be, french_be = be(phrase)
        return question(f"which {english_be} {phrase.english}", f"{which_form} {french_be} {phrase.french}")
    entry = draw.one(nouns_of("ridden", "sight", "eatery", "show"))
    phrase = noun_phrase(entry, "which")
    if "ridden" in entry.classes:
        verb_english, verb_french = "are we going to take", "prendre"
    elif "sight" in entry.classes:
        verb_english, verb_french = "are we going to visit", "visiter"
    elif "show" in entry.classes:
        verb_english, verb_french = "are we going to see", "voir"
    else:
        verb_english, verb_french = "are we going to choose", "choisir"
    return question(f"{phrase.english} {verb_english}", f"{phrase.french} est-ce que nous allons {verb_french}")


def question_words(draw: Draw) -> Pair:
    """Write pairs like «Where did you buy this dress? Why is the museum closed? When are you leaving?»."""
    kind = draw.below(5)
    if kind == 0:
        subject = draw.one((YOU, YOU, HE, SHE, THEY))
        action = any_action(draw, "P", subject, 0.15, frozenset(("buy", "find", "lose", "see", "meet", "book")))
        word = draw.one((("where", "où"), ("when", "quand")))
        return question(
            f"{word[0]} {english_question(action, subject, SIMPLE_PAST).replace('any ', 'some ')}",
            f"{word[1]} {french_question(action, subject, SIMPLE_PAST)}",
            construction(action, "question"),
        )
    if kind == 1:
        thing = noun_phrase(draw.one(nouns_of("opens")), "the")
        state = STATES[draw.one(("open", "closed"))]
        when = draw.one((("today", "aujourd'hui"), ("on Mondays", "le lundi"), ("", ""), ("this morning", "ce matin")))
        return question(
            f"why is {thing.english} {state.english} {when[0]}".strip(),
            join_french("pourquoi est-ce que", thing.french, "est", state.form(thing.gender, False), when[1]),
        )
    if kind == 2:
        subject = draw.one((HE, SHE, THEY, YOU))
        do = "does" if subject.third else "do"
        verb = draw.one((("live", "habiter"), ("work", "travailler")))
        finite = french_verbs.present(verb[1], subject.person)
        link = "-t-" if finite.endswith("e") else "-"
        return question(f"where {do} {subject.english} {verb[0]}", f"où {finite}{link}{subject.french}")
    if kind == 3:
        action = any_action(
            draw, "P", HE, 0.1, frozenset(("order", "buy", "lose", "find", "break", "pay", "book", "open", "close"))
        )
        if action.object is None or action.object.english.startswith("his "):
            return which(draw)
        return question(
            f"who {english_clause(action, HE, SIMPLE_PAST).removeprefix('he ')}",
            f"qui {french_clause(action, HE, SIMPLE_PAST).removeprefix('il ')}",
            construction(action, "question"),
        )
    subject = draw.one((YOU, HE, SHE, THEY))
    action = any_action(
        draw, "C", subject, 0.0, frozenset(("leave", "come back", "go out", "go home", "have lunch", "have dinner"))
    )
    action = VerbPhrase(action.verb, rest=("", ""), tags=action.tags) if action.verb.french != "prendre" else action
    word = draw.one((("when", "quand"), ("why", "pourquoi"), ("what time", "à quelle heure")))
    return question(
        f"{word[0]} {english_question(action, subject, CONTINUOUS)}",
        f"{word[1]} {french_question(action, subject, CONTINUOUS)}",
        construction(action, "question"),
    )


DRAWN_OUT = SUGGESTED - {"leave", "go home", "get up", "go back", "stay"} | {"repair", "clean", "write", "read"}
ETRE_EN_TRAIN = {0: "suis", 2: "est", 3: "sommes", 4: "êtes", 5: "sont"}


def right_now(draw: Draw) -> Pair:
    """She is having dinner right now: elle est en train de dîner."""
    subject = any_subject(draw)
    action = any_action(
        draw,
        "C",
        subject,
        0.1,
        DRAWN_OUT,
    )
    english = english_clause(action, subject, CONTINUOUS)
    return statement(
        f"{english} right now",
        join_french(
            subject.french, ETRE_EN_TRAIN[subject.person], "en train de", french_infinitive(action, subject.person)
        ),
        construction(action, "right now"),
    )


def before_and_after(draw: Draw) -> Pair:
    """We had lunch before visiting the museum: avant de visiter le musée."""
    subject = any_subject(draw)
    main = any_action(
        draw, "P", subject, 0.0, frozenset(("have lunch", "have dinner", "have breakfast", "rest", "phone"))
    )
    second = any_action(draw, "F", subject, 0.0, frozenset(("visit", "take", "go out", "leave", "see", "swim")))
    if second.rest[0] in ("early", "late"):
        second = VerbPhrase(second.verb)
    gerund = english_verb_phrase(second, present_participle(second.verb.english))
    return statement(
        f"{english_clause(main, subject, SIMPLE_PAST)} before {gerund}",
        join_french(french_clause(main, subject, SIMPLE_PAST), "avant de", french_infinitive(second, subject.person)),
        construction(main, "past"),
    )


TEMPLATES = (
    (which, 2.0),
    (question_words, 3.0),
    (right_now, 1.5),
    (before_and_after, 1.2),
)
