"""What people do, did, are going to do, want to do and may not do: the tenses, negation and questions."""

from dataclasses import replace

from tools.phrasebook.clauses import (
    CONTINUOUS,
    GOING_TO,
    JUST,
    PERFECT,
    SIMPLE_PAST,
    SIMPLE_PRESENT,
    Verb,
    VerbPhrase,
    english_clause,
    english_question,
    french_clause,
    french_question,
)
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.nouns import nouns_of
from tools.phrasebook.lexicon.people import HE, SHE, THEY, WE, YOU, I
from tools.phrasebook.modals import (
    CAN,
    COULD,
    HAVE_TO,
    MODALS,
    NEGATABLE,
    WANT,
    WOULD_LIKE,
    english_modal,
    english_modal_question,
    french_modal,
    french_modal_question,
)
from tools.phrasebook.noun_phrases import Tag, noun_phrase
from tools.phrasebook.sentences import Pair, courteous, question, statement
from tools.phrasebook.verb_choices import (
    ADVERBS,
    FUTURE_TIMES,
    HABIT_TIMES,
    PAST_TIMES,
    PRESENT_TIMES,
    any_action,
    any_subject,
    with_time,
)

COMPLETED = frozenset(
    [
        "buy",
        "book",
        "find",
        "lose",
        "miss",
        "call",
        "phone",
        "pay",
        "send",
        "receive",
        "read",
        "open",
        "close",
        "break",
        "sell",
        "eat",
    ]
)
REQUESTED = frozenset(
    [
        "buy",
        "book",
        "take",
        "call",
        "phone",
        "pay",
        "send",
        "read",
        "open",
        "close",
        "sign",
        "taste",
        "wash",
        "clean",
        "repair",
        "prepare",
        "use",
        "cancel",
        "help",
    ]
) | {"wait for", "speak to", "fill in", "put on", "try on"}
FORBIDDEN = frozenset(
    ["open", "close", "wash", "use", "sign", "take", "buy", "eat", "drink", "forget", "read", "sell", "send", "cancel"]
) | {"wait for"}
SUGGESTED = frozenset(
    [
        "visit",
        "see",
        "eat",
        "drink",
        "order",
        "taste",
        "rent",
        "take",
        "call",
        "phone",
        "watch",
        "buy",
        "book",
        "invite",
        "help",
        "choose",
        "swim",
        "dance",
        "travel",
    ]
) | {
    "wait for",
    "go out",
    "go home",
    "go back",
    "stay",
    "rest",
    "go for a walk",
    "have breakfast",
    "have lunch",
    "have dinner",
    "do the shopping",
    "take the children",
    "play football",
    "play tennis",
    "watch television",
    "have a picnic",
    "hurry",
    "leave",
    "get up",
    "pay",
}
DUTIES = frozenset(["pay", "sign", "book", "buy", "take", "call", "phone", "prepare", "cancel", "leave", "hurry"]) | {
    "fill in",
    "wait for",
}
UNLAWFUL = frozenset(["open", "use", "smoke", "swim", "drive"]) | {"play football", "have a picnic"}
FEASIBLE = frozenset(
    [
        "book",
        "rent",
        "find",
        "buy",
        "visit",
        "pay",
        "cancel",
        "change",
        "travel",
        "repair",
        "use",
        "see",
        "send",
        "swim",
        "sleep",
    ]
)


def construction(phrase: VerbPhrase, *names: str) -> tuple[Tag, ...]:
    """Tag the meeting of a verb with one construction or more."""
    return (*phrase.all_tags, *(("construction", phrase.verb.english, name) for name in names))


def form_name(tense: str, negation: str = "") -> str:
    """Name the construction of a tense, negated or not, as the held-out combinations know it."""
    names = {SIMPLE_PAST: "past", PERFECT: "past", GOING_TO: "future", JUST: "recent past"}
    return ("negated " if negation else "") + names.get(tense, "present")


def past(draw: Draw) -> Pair:
    """I bought a red dress yesterday; we did not book a table; she has never visited the castle."""
    subject = any_subject(draw)
    phrase = any_action(draw, "P", subject)
    kind = draw.below(10)
    if kind < 5:
        if draw.chance(0.6):
            phrase = with_time(phrase, draw.one(PAST_TIMES))
        tags = construction(phrase, "past")
        return statement(
            english_clause(phrase, subject, SIMPLE_PAST), french_clause(phrase, subject, SIMPLE_PAST), tags
        )
    if kind < 7:
        tags = construction(phrase, "negated past")
        tense = draw.one((SIMPLE_PAST, PERFECT))
        return statement(
            english_clause(phrase, subject, tense, "pas"), french_clause(phrase, subject, tense, "pas"), tags
        )
    if kind == 7:
        tags = construction(phrase, "past")
        return statement(english_clause(phrase, subject, PERFECT), french_clause(phrase, subject, PERFECT), tags)
    negation = draw.one(("pas encore", "jamais"))
    if negation == "jamais" and phrase.object is None:
        negation = "pas encore"
    if phrase.rest[0] in ("early", "late", "very early", "very late", "quickly"):
        phrase = VerbPhrase(phrase.verb)
    if phrase.verb.english in ("lose", "forget", "break", "miss", "leave", "hear"):
        negation = "pas"
    tags = construction(phrase, "negated past")
    return statement(
        english_clause(phrase, subject, PERFECT, negation), french_clause(phrase, subject, PERFECT, negation), tags
    )


def future(draw: Draw) -> Pair:
    """We are going to visit the museum tomorrow; I am not going to buy a car."""
    subject = any_subject(draw)
    phrase = any_action(draw, "F", subject)
    negation = "pas" if draw.chance(0.25) else ""
    if draw.chance(0.6):
        phrase = with_time(phrase, draw.one(FUTURE_TIMES))
    tags = construction(phrase, "negated future" if negation else "future")
    return statement(
        english_clause(phrase, subject, GOING_TO, negation), french_clause(phrase, subject, GOING_TO, negation), tags
    )


def present(draw: Draw) -> Pair:
    """I am waiting for the bus; she is wearing a blue coat."""
    subject = any_subject(draw)
    phrase = any_action(draw, "C", subject, 0.35)
    negation = "pas" if draw.chance(0.2) else ""
    if draw.chance(0.3):
        phrase = with_time(phrase, draw.one(PRESENT_TIMES))
    tags = construction(phrase, "negated present" if negation else "present")
    return statement(
        english_clause(phrase, subject, CONTINUOUS, negation),
        french_clause(phrase, subject, CONTINUOUS, negation),
        tags,
    )


HABITS = (
    ("buy", "acheter", "massfood fruit many", "some"),
    ("eat", "manger", "massfood fruit", "some"),
    ("drink", "boire", "massdrink", "some"),
    ("read", "lire", "readable", "the"),
    ("take", "prendre", "ridden", "the"),
    ("write", "écrire", "letters", "some"),
)
ROUTINES = (
    ("get up", "se lever", "early", "tôt"),
    ("get up", "se lever", "at seven", "à sept heures"),
    ("go to bed", "se coucher", "late", "tard"),
    ("go to bed", "se coucher", "at eleven", "à onze heures"),
    ("have lunch", "déjeuner", "at the restaurant", "au restaurant"),
    ("have dinner", "dîner", "at home", "à la maison"),
    ("work", "travailler", "", ""),
    ("work", "travailler", "at home", "à la maison"),
    ("swim", "nager", "in the lake", "dans le lac"),
    ("go out", "sortir", "with some friends", "avec des amis"),
    ("go for a walk", "se promener", "in the park", "dans le parc"),
    ("play tennis", "jouer", "", "au tennis"),
    ("play football", "jouer", "", "au football"),
    ("travel", "voyager", "by train", "en train"),
    ("do the shopping", "faire", "at the market", "les courses au marché"),
    ("listen", "écouter", "to the radio", "la radio"),
    ("cook", "faire", "", "la cuisine"),
    ("smoke", "fumer", "", ""),
)


def habit(draw: Draw) -> Pair:
    """I buy bread every morning; he never gets up early; they no longer smoke."""
    subject = any_subject(draw)
    if draw.chance(0.5):
        english, french, classes, determiner = draw.one(HABITS)
        entry = draw.one(nouns_of(*classes.split()))
        thing = noun_phrase(entry, determiner, determiner == "some" and entry.number == "count")
        # English habits name the thing alone (I often eat apples), French keeps its article.
        bare = thing.english.removeprefix("some ")
        thing = replace(thing, english=bare, english_negated=bare)
        phrase = VerbPhrase(Verb(english, french), thing)
    else:
        english, french, english_rest, french_rest = draw.one(ROUTINES)
        phrase = VerbPhrase(Verb(english, french), rest=(english_rest, french_rest))
    kind = draw.below(5)
    if kind == 0:
        negation = draw.one(("jamais", "plus", "pas"))
        tags = construction(phrase, "negated present")
        if negation == "pas":
            phrase = with_time(phrase, draw.one(HABIT_TIMES))
        return statement(
            english_clause(phrase, subject, SIMPLE_PRESENT, negation),
            french_clause(phrase, subject, SIMPLE_PRESENT, negation),
            tags,
        )
    adverb = ("", "")
    if kind in (1, 2):
        adverb = draw.one(ADVERBS)
    else:
        phrase = with_time(phrase, draw.one(HABIT_TIMES))
    return statement(
        english_clause(phrase, subject, SIMPLE_PRESENT, "", adverb[0]),
        french_clause(phrase, subject, SIMPLE_PRESENT, "", adverb[1]),
        construction(phrase, "present"),
    )


def just_done(draw: Draw) -> Pair:
    """I have just missed my train: je viens de rater mon train."""
    subject = any_subject(draw)
    phrase = any_action(draw, "P", subject)
    lasting = ("wait", "wait for", "look for", "hear", "stay", "work", "travel", "walk", "dance", "sleep")
    if phrase.verb.english in lasting or phrase.rest[0].endswith(("early", "late")):
        phrase = any_action(draw, "P", subject, 0.2, COMPLETED)
    return statement(
        english_clause(phrase, subject, JUST), french_clause(phrase, subject, JUST), construction(phrase, "recent past")
    )


def wanting(draw: Draw) -> Pair:
    """I would like to rent a car; we cannot find our keys; you should see the doctor."""
    subject = any_subject(draw)
    phrase = any_action(draw, "F", subject)
    modal = draw.one((*MODALS, WANT, CAN, WOULD_LIKE, HAVE_TO))
    negation = "pas" if modal in NEGATABLE and draw.chance(0.35) else ""
    if draw.chance(0.3) and modal not in (CAN,):
        phrase = with_time(phrase, draw.one(FUTURE_TIMES))
    tags = construction(phrase, "negated modal" if negation else "modal")
    return statement(
        english_modal(modal, subject, phrase, negation), french_modal(modal, subject, phrase, negation), tags
    )


def asking_modal(draw: Draw) -> Pair:
    """Write pairs like «Can I pay by card? Do you want to visit the castle? Could you open the window, please?»."""
    subject = draw.one((I, I, WE, YOU, YOU, HE, SHE, THEY))
    modal = draw.one((CAN, CAN, WANT, HAVE_TO, WOULD_LIKE))
    phrase = any_action(draw, "F", subject, 0.2, DUTIES if modal is HAVE_TO else REQUESTED | SUGGESTED)
    if subject is YOU and modal is CAN:
        modal = draw.one((CAN, COULD))
    if modal in (WANT, WOULD_LIKE) and subject in (I, WE):
        modal = CAN
    tags = construction(phrase, "modal question")
    if subject not in (I, WE, YOU):
        return question(
            english_modal_question(modal, subject, phrase), french_modal_question(modal, subject, phrase), tags
        )
    please = 0.4 if modal in (CAN, COULD) else 0.0
    return courteous(
        draw,
        english_modal_question(modal, subject, phrase),
        french_modal_question(modal, subject, phrase),
        "?",
        tags,
        please,
    )


def asking(draw: Draw) -> Pair:
    """Write pairs like «Did you lose your passport? Is she waiting for the bus? Are they going to rent a car?»."""
    tense, use = draw.one(((SIMPLE_PAST, "P"), (PERFECT, "P"), (GOING_TO, "F"), (CONTINUOUS, "C"), (SIMPLE_PAST, "P")))
    subject = draw.one((YOU, YOU, YOU, HE, SHE, THEY, any_subject(draw)))
    if subject in (I, WE):
        subject = YOU
    phrase = any_action(draw, use, subject)
    adverb = ("", "")
    if tense == PERFECT:
        adverb = ("already", "déjà")
    if tense == SIMPLE_PAST and draw.chance(0.4):
        phrase = with_time(phrase, draw.one(PAST_TIMES[:8]))
    if tense == GOING_TO and draw.chance(0.5):
        phrase = with_time(phrase, draw.one(FUTURE_TIMES))
    return question(
        english_question(phrase, subject, tense, adverb[0]).replace("some ", "any "),
        french_question(phrase, subject, tense, adverb[1]),
        construction(phrase, "question"),
    )


TEMPLATES = (
    (past, 7.0),
    (future, 4.0),
    (present, 3.0),
    (habit, 3.5),
    (just_done, 1.5),
    (wanting, 6.0),
    (asking_modal, 3.5),
    (asking, 4.0),
)
