"""Sentences of two clauses: because, but, if, when, I think that, do you know whether."""

from collections.abc import Callable

from tools.phrasebook.clauses import (
    CONTINUOUS,
    GOING_TO,
    SIMPLE_PAST,
    Subject,
    Verb,
    VerbPhrase,
    english_clause,
    english_verb_phrase,
    french_clause,
    french_imperative,
    french_infinitive,
)
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import PERSONAL
from tools.phrasebook.lexicon.nouns import noun, nouns_of
from tools.phrasebook.lexicon.people import CHILDREN, HE, SHE, THEY, WE, I, relative
from tools.phrasebook.modals import CAN, HAVE_TO, WANT, WOULD_LIKE, english_modal, french_modal
from tools.phrasebook.noun_phrases import noun_phrase
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, statement
from tools.phrasebook.templates.actions import SUGGESTED, construction, form_name
from tools.phrasebook.templates.calendar_talk import WEATHER
from tools.phrasebook.templates.health import AVOIR, ETRE
from tools.phrasebook.verb_choices import any_action, with_time

Clause = tuple[str, str]
SPEAKERS = (I, I, I, WE, HE, SHE, THEY, relative("wife"), relative("husband"), relative("parents"), *CHILDREN)
OUTDOOR = frozenset(("go out", "swim", "go for a walk", "have a picnic", "play football", "play tennis", "visit"))
FEELINGS = (("hungry", "faim"), ("thirsty", "soif"), ("cold", "froid"), ("hot", "chaud"))
BAD_WEATHER = (
    "it is cold",
    "it is very cold",
    "it is raining",
    "it is snowing",
    "it is windy",
    "it is too hot",
    "the weather is bad",
)
RESTING = frozenset(("rest", "stay", "go home", "have a picnic", "drink", "take", "leave"))
COSTLY = frozenset(("buy", "book", "rent", "order", "choose", "take"))
TIRING = ("tired", "ill", "busy")
FUTURE_PLANS = SUGGESTED - {"hurry", "get up", "help", "pay"}


def feeling(draw: Draw, subject: Subject, states: tuple[str, ...] = ()) -> Clause:
    """Say how the subject is: he is tired, il est fatigué; she is hungry, elle a faim."""
    if not states and draw.chance(0.4):
        english, french = draw.one(FEELINGS)
        return f"{pronoun(subject)[0]} {be(subject)} {english}", join_french(
            pronoun(subject)[1], AVOIR[subject.person], french
        )
    adjective = PERSONAL[draw.one(states or ("tired", "ill", "busy", "worried", "lost", "sad"))]
    form = adjective.form(subject.gender, subject.plural)
    return (
        f"{pronoun(subject)[0]} {be(subject)} {adjective.english}",
        join_french(pronoun(subject)[1], ETRE[subject.person], form),
    )


def pronoun(subject: Subject) -> Clause:
    """Return the pronoun that takes up a subject."""
    if subject.pronoun:
        return subject.english, subject.french
    if subject.plural:
        return "they", "elles" if subject.gender == "f" else "ils"
    return ("she", "elle") if subject.gender == "f" else ("he", "il")


def be(subject: Subject) -> str:
    """Return the form of be of a subject."""
    return subject.be


def because(draw: Draw) -> Pair:
    """She is not going out because she is tired; we are staying at the hotel because it is raining."""
    subject = draw.one(SPEAKERS)
    kind = draw.below(4)
    reason, name = feeling(draw, subject, TIRING), "future"
    if kind == 0:
        weather = draw.one(WEATHER)
        verbs = frozenset(("swim",)) if weather[0] == "it is hot" else OUTDOOR
        phrase = any_action(draw, "F", subject, 0.0, verbs)
        negation = "pas" if weather[0] in BAD_WEATHER else ""
        main = english_clause(phrase, subject, GOING_TO, negation), french_clause(phrase, subject, GOING_TO, negation)
        name = form_name(GOING_TO, negation)
        reason = weather[0], weather[1]
    elif kind == 1:
        phrase = any_action(draw, "F", subject, 0.0, FUTURE_PLANS - RESTING)
        main = english_clause(phrase, subject, GOING_TO, "pas"), french_clause(phrase, subject, GOING_TO, "pas")
        name = "negated future"
        reason = draw.one(
            (
                reason,
                (
                    f"{pronoun(subject)[0]} {be(subject)} too tired",
                    join_french(
                        pronoun(subject)[1],
                        ETRE[subject.person],
                        "trop",
                        PERSONAL["tired"].form(subject.gender, subject.plural),
                    ),
                ),
                (
                    f"{pronoun(subject)[0]} {'does' if subject.third else 'do'} not have time",
                    join_french(pronoun(subject)[1], "ne", AVOIR[subject.person], "pas le temps"),
                ),
            )
        )
        if phrase.verb.english in COSTLY and draw.chance(0.6):
            reason = "it is too expensive", "c'est trop cher"
    elif kind == 2:
        modal = draw.one((CAN, WANT))
        phrase = any_action(draw, "F", subject, 0.0, FUTURE_PLANS - RESTING)
        main = english_modal(modal, subject, phrase, "pas"), french_modal(modal, subject, phrase, "pas")
        name = "negated modal"
    else:
        options = (
            (("stay", "rest", "go home", "go to bed"), ("tired", "ill")),
            (("have lunch", "have dinner", "order", "eat"), ("hungry",)),
            (("drink",), ("thirsty",)),
            (("put on",), ("cold",)),
            (("call",), ("ill", "lost")),
        )
        suited, states = draw.one(options)
        word = draw.one(states)
        phrase = any_action(draw, "F", subject, 0.0, frozenset(suited))
        if phrase.rest[0].endswith("late"):
            phrase = VerbPhrase(phrase.verb, rest=("early", "tôt"))
        if word == "cold":
            garment = draw.one(nouns_of("warm"))
            many = subject.plural and garment.number == "count"
            warm = noun_phrase(garment, "my", many, (), 0, subject.person, subject.owner_gender)
            phrase = VerbPhrase(phrase.verb, warm)
        main = english_clause(phrase, subject, GOING_TO), french_clause(phrase, subject, GOING_TO)
        who = pronoun(subject)
        french_state = dict(FEELINGS).get(word)
        if french_state:
            reason = f"{who[0]} {be(subject)} {word}", join_french(who[1], AVOIR[subject.person], french_state)
        else:
            reason = (
                f"{who[0]} {be(subject)} {word}",
                join_french(who[1], ETRE[subject.person], PERSONAL[word].form(subject.gender, subject.plural)),
            )
    return statement(
        f"{main[0]} because {reason[0]}",
        join_french(main[1], "parce que", reason[1]),
        construction(phrase, "because", name),
    )


def but(draw: Draw) -> Pair:
    """I want to visit the castle, but I do not have time; she would like to buy the dress, but it is too expensive."""
    subject = draw.one(SPEAKERS)
    modal = draw.one((WANT, WOULD_LIKE))
    phrase = any_action(draw, "F", subject, 0.15, FUTURE_PLANS)
    main = english_modal(modal, subject, phrase), french_modal(modal, subject, phrase)
    who = pronoun(subject)
    do = "does" if subject.third else "do"
    obstacle: Clause = draw.one(
        (
            (f"{who[0]} {do} not have time", join_french(who[1], "ne", AVOIR[subject.person], "pas le temps")),
            ("it is too late", "il est trop tard"),
            feeling(draw, subject, TIRING),
        )
    )
    if phrase.verb.english in COSTLY | {"eat", "drink", "taste"} and (phrase.object is None or draw.chance(0.9)):
        obstacle = "it is too expensive", "c'est trop cher"
        if draw.chance(0.5):
            poor = join_french(who[1], "ne", AVOIR[subject.person], "pas assez d'argent")
            obstacle = f"{who[0]} {do} not have enough money", poor
    if phrase.verb.english in OUTDOOR and draw.chance(0.5):
        weather = draw.one([entry for entry in WEATHER if entry[0] in BAD_WEATHER])
        obstacle = weather[0], weather[1]
    return statement(f"{main[0]}, but {obstacle[0]}", f"{main[1]}, mais {obstacle[1]}", construction(phrase, "modal"))


def if_clause(draw: Draw) -> Pair:
    """If it rains, we are going to stay at the hotel; if you want, we can take the train."""
    kind = draw.below(3)
    if kind == 0:
        condition = draw.one(
            (
                ("if you want", "si vous voulez"),
                ("if you have time", "si vous avez le temps"),
                ("if you are tired", "si vous êtes fatigué"),
                ("if you are hungry", "si vous avez faim"),
            )
        )
        verbs = FUTURE_PLANS
        if "hungry" in condition[0]:
            verbs = frozenset(("eat", "have lunch", "have dinner", "order"))
        if "tired" in condition[0]:
            verbs = frozenset(("rest", "go home", "stay", "take"))
        phrase = any_action(draw, "F", WE, 0.0, verbs)
        if "take the children" in phrase.verb.english and "tired" in condition[0]:
            phrase = any_action(draw, "F", WE, 0.0, frozenset(("rest", "go home")))
        main = english_modal(CAN, WE, phrase), french_modal(CAN, WE, phrase)
    elif kind == 1:
        condition, verbs = draw.one(
            (
                (
                    ("if it rains", "s'il pleut"),
                    frozenset(("stay", "have lunch", "have dinner", "take", "watch television", "rest")),
                ),
                (("if it snows", "s'il neige"), frozenset(("stay", "have dinner", "watch television", "rest", "take"))),
                (("if the weather is nice", "s'il fait beau"), OUTDOOR),
                (("if it is hot", "s'il fait chaud"), frozenset(("swim", "drink", "stay"))),
                (("if it is cold", "s'il fait froid"), frozenset(("stay", "rest"))),
            )
        )
        subject = draw.one((I, WE, WE, HE, SHE, THEY))
        phrase = any_action(draw, "F", subject, 0.0, verbs)
        main = english_clause(phrase, subject, GOING_TO), french_clause(phrase, subject, GOING_TO)
    else:
        words, condition = draw.one(
            (
                ("doctor ambulance hospital", ("if you are ill", "si vous êtes malade")),
                ("taxi hotel", ("if you are lost", "si vous êtes perdu")),
                ("hotel receptionist", ("if you have a problem", "si vous avez un problème")),
                ("hotel taxi", ("if you are late", "si vous êtes en retard")),
            )
        )
        called = noun(draw.one(words.split()))
        determiner = "the" if "hotel" in called.english or called.english in ("receptionist", "hospital") else "a"
        phrase = VerbPhrase(Verb("call", "appeler"), noun_phrase(called, determiner))
        main = english_verb_phrase(phrase, "call"), french_imperative(phrase)
    return statement(f"{condition[0]}, {main[0]}", f"{condition[1]}, {main[1]}", construction(phrase, "if"))


FIRST_PLANS = frozenset(["visit", "see", "swim", "buy"]) | {
    "go for a walk",
    "do the shopping",
    "play tennis",
    "play football",
}
THEN_PLANS = frozenset(["eat", "drink", "order", "rest", "phone"]) | {"have lunch", "have dinner", "go home", "go back"}


def sequence(draw: Draw) -> Pair:
    """We visited the museum and then we had lunch; first we are going to eat, then we are going to rest."""
    subject = draw.one((I, WE, WE, HE, SHE, THEY))
    first = any_action(draw, "P", subject, 0.1, FIRST_PLANS)
    second = any_action(draw, "P", subject, 0.1, THEN_PLANS)
    tense = draw.one((SIMPLE_PAST, GOING_TO))
    clauses = (
        (english_clause(first, subject, tense), french_clause(first, subject, tense)),
        (english_clause(second, subject, tense), french_clause(second, subject, tense)),
    )
    return statement(
        f"{clauses[0][0]}, then {clauses[1][0]}",
        f"{clauses[0][1]}, puis {clauses[1][1]}",
        construction(first, "sequence") + construction(second, "sequence"),
    )


GET_UP = VerbPhrase(Verb("get up", "se lever"), rest=("early", "tôt"))
COME_BACK = VerbPhrase(Verb("come back", "revenir"), rest=("tomorrow", "demain"))
RETURN_IN_SUMMER = VerbPhrase(Verb("come back", "revenir"), rest=("in summer", "en été"))
LEAVE_NOW = VerbPhrase(Verb("leave", "partir"), rest=("now", "maintenant"))
GO_OUT = VerbPhrase(Verb("go out", "sortir"), rest=("this evening", "ce soir"))


def purpose(draw: Draw) -> Pair:
    """I have to get up early to take the train: pour prendre le train."""
    subject = draw.one((I, WE, HE, SHE, THEY))
    modal, main, verbs = draw.one(
        (
            (HAVE_TO, GET_UP, ("take", "prepare")),
            (HAVE_TO, COME_BACK, ("see", "buy", "visit", "sign", "help")),
            (WANT, RETURN_IN_SUMMER, ("visit", "see", "swim")),
            (HAVE_TO, LEAVE_NOW, ("take", "buy", "see", "help")),
            (WOULD_LIKE, GO_OUT, ("eat", "see", "dance", "buy")),
        )
    )
    goal = any_action(draw, "F", subject, 0.0, frozenset(verbs))
    english = english_modal(modal, subject, main)
    french = french_modal(modal, subject, main)
    return statement(
        f"{english} to {english_verb_phrase(goal, goal.verb.english)}",
        join_french(french, "pour", french_infinitive(goal, subject.person)),
        construction(goal, "infinitive"),
    )


def waiting(draw: Draw) -> Pair:
    """I have been waiting for the bus for twenty minutes: j'attends le bus depuis vingt minutes."""
    subject = draw.one(SPEAKERS)
    phrase = any_action(draw, "C", subject, 0.0, frozenset(("wait for", "look for")))
    duration = draw.one(
        (
            ("for ten minutes", "depuis dix minutes"),
            ("for twenty minutes", "depuis vingt minutes"),
            ("for an hour", "depuis une heure"),
            ("for two hours", "depuis deux heures"),
            ("since this morning", "depuis ce matin"),
            ("since eight o'clock", "depuis huit heures"),
            ("since noon", "depuis midi"),
        )
    )
    phrase = with_time(phrase, duration)
    has = "has_" if subject.third else "have_"
    english = f"{subject.english} {has} been {english_clause(phrase, I, CONTINUOUS).removeprefix('I am ')}"
    return statement(english, french_clause(phrase, subject, CONTINUOUS), construction(phrase, "present"))


TEMPLATES: tuple[tuple[Callable[[Draw], Pair], float], ...] = (
    (because, 3.5),
    (but, 3.0),
    (if_clause, 2.5),
    (sequence, 1.5),
    (purpose, 2.0),
    (waiting, 1.5),
)
