"""Commands, suggestions, and infinitives after it is easy to, I have decided to and the like."""

from tools.phrasebook.clauses import (
    Verb,
    VerbPhrase,
    english_verb_phrase,
    french_imperative,
    french_infinitive,
)
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.people import WE, YOU, I
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, statement
from tools.phrasebook.templates.actions import FEASIBLE, FORBIDDEN, REQUESTED, SUGGESTED, UNLAWFUL, construction
from tools.phrasebook.verb_choices import (
    FUTURE_TIMES,
    any_action,
)

ORDERS_WITHOUT_OBJECT = (
    ("wait", "attendre", "here", "ici"),
    ("wait", "attendre", "a minute", "une minute"),
    ("come back", "revenir", "tomorrow morning", "demain matin"),
    ("come back", "revenir", "in an hour", "dans une heure"),
    ("sit down", "s'asseoir", "here", "ici"),
    ("hurry", "se dépêcher", "", ""),
    ("turn", "tourner", "left", "à gauche"),
    ("turn", "tourner", "right", "à droite"),
    ("stop", "s'arrêter", "here", "ici"),
    ("stop", "s'arrêter", "in front of the hotel", "devant l'hôtel"),
    ("rest", "se reposer", "a little", "un peu"),
    ("pay", "payer", "at reception", "à la réception"),
    ("get up", "se lever", "early", "tôt"),
    ("smoke", "fumer", "here", "ici"),
    ("smoke", "fumer", "in the room", "dans la chambre"),
    ("swim", "nager", "here", "ici"),
    ("leave", "partir", "now", "maintenant"),
)


def command(draw: Draw) -> Pair:
    """Close the door, please. Do not forget your umbrella. Let's visit the castle."""
    kind = draw.below(4)
    person = 3 if kind == 0 else 4
    owner = WE if kind == 0 else YOU
    if kind == 0 or draw.chance(0.65):
        phrase = any_action(draw, "F", owner, 0.2, (SUGGESTED, FORBIDDEN, REQUESTED, REQUESTED)[kind])
    else:
        english, french, english_rest, french_rest = draw.one(ORDERS_WITHOUT_OBJECT)
        phrase = VerbPhrase(Verb(english, french), rest=(english_rest, french_rest))
    if phrase.verb.english == "smoke":
        kind = 1
    elif kind == 1 and not phrase.object and phrase.verb.english not in ("swim", "leave", "stop"):
        kind = 2
    negation = "pas" if kind == 1 else ""
    french = french_imperative(phrase, person, negation)
    base = english_verb_phrase(phrase, phrase.verb.english, negation)
    if kind == 0:
        if draw.chance(0.5):
            time = draw.one(FUTURE_TIMES)
            return statement(f"let's {base} {time[0]}", f"{french} {time[1]}", construction(phrase, "let us"))
        return statement(f"let's {base}", french, construction(phrase, "let us"))
    english = f"do not {base}" if negation else base
    tags = construction(phrase, "negated imperative" if negation else "imperative")
    if draw.chance(0.5):
        return statement(f"{english}, please", f"{french}, s'il vous plaît", tags)
    return statement(english, french, tags)


IMPERSONAL = (
    ("it is forbidden to", "il est interdit de", UNLAWFUL),
    ("it is possible to", "il est possible de", FEASIBLE),
    ("it is impossible to", "il est impossible de", FEASIBLE),
    ("it is easy to", "il est facile de", FEASIBLE),
    ("it is difficult to", "il est difficile de", FEASIBLE),
    ("is it possible to", "est-il possible de", FEASIBLE),
)


PERSONAL = (
    ("I have_ decided to", "j'ai décidé de", I),
    ("I have_ forgotten to", "j'ai oublié de", I),
    ("we have_ decided to", "nous avons décidé de", WE),
    ("I do not have time to", "je n'ai pas le temps de", I),
    ("we do not have time to", "nous n'avons pas le temps de", WE),
    ("I am trying to", "j'essaie de", I),
    ("could you help me to", "pourriez-vous m'aider à", I),
)


HELPED = frozenset(["find", "buy", "book", "repair", "carry", "choose", "wash", "clean", "prepare", "send"]) | {
    "fill in",
    "look for",
}


def infinitives(draw: Draw) -> Pair:
    """Write pairs like «It is easy to find the museum; could you help me to fill in this form?»."""
    if draw.chance(0.4):
        english, french, verbs = draw.one(IMPERSONAL)
        owner = YOU
    else:
        english, french, owner = draw.one(PERSONAL)
        verbs = HELPED if english.startswith("could") else REQUESTED | SUGGESTED - {"hurry", "stay"}
    phrase = any_action(draw, "F", owner, 0.2, verbs)
    if owner is YOU and phrase.object and phrase.object.english.startswith("your "):
        phrase = VerbPhrase(Verb("travel", "voyager"), rest=("by train", "en train"))
    return statement(
        f"{english} {english_verb_phrase(phrase, phrase.verb.english)}",
        join_french(french, french_infinitive(phrase, owner.person)),
        construction(phrase, "infinitive"),
        "?" if english.startswith(("is", "could")) else ".",
    )


TEMPLATES = (
    (command, 3.0),
    (infinitives, 2.5),
)
