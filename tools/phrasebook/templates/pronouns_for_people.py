"""Pronouns for people: him and her before the verb, to him and to her as lui, me and us."""

from dataclasses import replace

from tools.phrasebook.clauses import (
    GOING_TO,
    PERFECT,
    SIMPLE_PAST,
    SIMPLE_PRESENT,
    Pronoun,
    Subject,
    Verb,
    VerbPhrase,
    english_clause,
    english_question,
    french_clause,
    french_imperative,
    french_question,
)
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.nouns import noun
from tools.phrasebook.lexicon.people import HE, SHE, THEY, WE, YOU, I
from tools.phrasebook.modals import (
    CAN,
    WANT,
    WOULD_LIKE,
    english_modal,
    english_modal_question,
    french_modal,
    french_modal_question,
)
from tools.phrasebook.noun_phrases import noun_phrase
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, courteous, question, statement
from tools.phrasebook.templates.actions import form_name
from tools.phrasebook.templates.pronouns import construction
from tools.phrasebook.verb_choices import FUTURE_TIMES, PAST_TIMES, any_subject, with_time

HIM = Pronoun("him", ("le",), "m", False)


HER = Pronoun("her", ("la",), "f", False)


ME = Pronoun("me", ("me",), "m", False)


US = Pronoun("us", ("nous",), "m", True)


DIRECT = (HIM, HER, ME, US)


TO_HIM = Pronoun("him", ("lui",), agrees=False)


TO_HER = Pronoun("her", ("lui",), agrees=False)


TO_THEM = Pronoun("them", ("leur",), agrees=False)


TO_ME = Pronoun("me", ("me",), agrees=False)


TO_US = Pronoun("us", ("nous",), agrees=False)


INDIRECT = (TO_HIM, TO_HER, TO_THEM, TO_ME, TO_US)


PERSONAL_VERBS = (
    ("see", "voir"),
    ("call", "appeler"),
    ("help", "aider"),
    ("invite", "inviter"),
    ("thank", "remercier"),
    ("know", "connaître"),
    ("understand", "comprendre"),
    ("wait for", "attendre"),
    ("meet", "rencontrer"),
    ("look for", "chercher"),
)


GIVING_VERBS = (
    ("give", "donner", "key ticket present book map bill"),
    ("send", "envoyer", "letter postcard parcel present"),
    ("show", "montrer", "room passport photo ticket menu"),
    ("bring", "apporter", "towel bill menu blanket coffee"),
)


SPEAKING_VERBS = (("speak to", "parler"), ("phone", "téléphoner"), ("write to", "écrire"), ("answer", "répondre"))


def suits(subject: Subject, pronoun: Pronoun) -> bool:
    """Tell whether subject and object are different people."""
    return (subject.english, pronoun.english) not in (("I", "me"), ("we", "us"), ("I", "us"), ("we", "me"))


def person_object(draw: Draw) -> Pair | None:
    """I know her; she called me yesterday; we have not seen him."""
    subject, pronoun = any_subject(draw), draw.one(DIRECT)
    if draw.chance(0.35):
        english, french = draw.one(SPEAKING_VERBS)
        pronoun = draw.one(INDIRECT)
    else:
        english, french = draw.one(PERSONAL_VERBS)
    if not suits(subject, pronoun):
        return None
    phrase = VerbPhrase(Verb(english, french), pronoun=pronoun)
    tags = construction(phrase.verb, "pronoun")
    if english in ("know", "understand"):
        negation = draw.one(("", "pas"))
        if subject is YOU:
            return question(
                english_question(phrase, subject, SIMPLE_PRESENT),
                french_question(phrase, subject, SIMPLE_PRESENT),
                tags,
            )
        return statement(
            english_clause(phrase, subject, SIMPLE_PRESENT, negation),
            french_clause(phrase, subject, SIMPLE_PRESENT, negation),
            tags,
        )
    tense, times = draw.one(((SIMPLE_PAST, PAST_TIMES[:8]), (GOING_TO, FUTURE_TIMES[:8]), (PERFECT, ())))
    if times and draw.chance(0.6):
        phrase = with_time(phrase, draw.one(times))
    if draw.chance(0.2) and subject in (I, WE, HE, SHE, YOU):
        modal = draw.one((CAN, WANT, WOULD_LIKE))
        plain = VerbPhrase(phrase.verb, pronoun=pronoun)
        if subject is YOU:
            return question(
                english_modal_question(modal, subject, plain), french_modal_question(modal, subject, plain), tags
            )
        return statement(english_modal(modal, subject, plain), french_modal(modal, subject, plain), tags)
    if subject is YOU or (not subject.pronoun and draw.chance(0.3)):
        return question(english_question(phrase, subject, tense), french_question(phrase, subject, tense), tags)
    negation = draw.one(("", "", "pas"))
    return statement(
        english_clause(phrase, subject, tense, negation),
        french_clause(phrase, subject, tense, negation),
        tags + construction(phrase.verb, form_name(tense, negation)),
    )


def giving(draw: Draw) -> Pair | None:
    """I gave him the key; could you show me the room? He sent us a postcard."""
    english, french, words = draw.one(GIVING_VERBS)
    entry = noun(draw.one(words.split()))
    subject, pronoun = draw.one((I, WE, HE, SHE, THEY, *(any_subject(draw),))), draw.one(INDIRECT)
    if not suits(subject, pronoun) or subject is YOU:
        return None
    single = entry.english in ("menu", "bill", "room", "key", "passport")
    thing = noun_phrase(entry, "the" if single else draw.one(("a", "the")))
    # English: gave him the key. The pronoun stands before the noun, so it is set by hand.
    phrase = VerbPhrase(
        Verb(english, french),
        replace(
            thing,
            english=f"{pronoun.english} {thing.english}",
            english_negated=f"{pronoun.english} {thing.english_negated}",
        ),
        replace(pronoun, english=""),
    )
    tags = (*construction(phrase.verb, "pronoun"), ("template", english, entry.english))
    kind = draw.below(5)
    if kind == 0 and pronoun in (TO_ME, TO_US):
        head = draw.one((("could you", "pourriez-vous"), ("can you", "pouvez-vous")))
        return courteous(
            draw,
            f"{head[0]} {english} {pronoun.english} {thing.english}",
            join_french(head[1], pronoun.clitics[0], french, thing.french),
            "?",
            tags,
            0.5,
        )
    if kind == 1:
        return (
            courteous(
                draw,
                f"{english} {pronoun.english} {thing.english}",
                french_imperative(VerbPhrase(Verb(english, french), thing, pronoun)),
                ".",
                tags,
                1.0,
            )
            if draw.chance(0.7)
            else statement(
                f"do not {english} {pronoun.english} {thing.english_negated}",
                french_imperative(VerbPhrase(Verb(english, french), thing, pronoun), 4, "pas"),
                tags,
            )
        )
    tense, times = draw.one(((SIMPLE_PAST, PAST_TIMES[:3]), (GOING_TO, FUTURE_TIMES[:6]), (PERFECT, ())))
    if times and draw.chance(0.5):
        phrase = replace(phrase, rest=draw.one(times))
    negation = "pas" if draw.chance(0.25) else ""
    return statement(
        english_clause(phrase, subject, tense, negation),
        french_clause(phrase, subject, tense, negation),
        tags + construction(phrase.verb, form_name(tense, negation)),
    )


TEMPLATES = (
    (person_object, 3.5),
    (giving, 3.0),
)
