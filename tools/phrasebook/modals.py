"""Verbs that take an infinitive: can, want to, would like to, have to, need to, should."""

from dataclasses import dataclass

from tools.phrasebook import english_verbs, french_verbs
from tools.phrasebook.clauses import (
    Subject,
    VerbPhrase,
    around,
    asks_by_inversion,
    english_verb_phrase,
    french_infinitive,
    invert,
)
from tools.phrasebook.orthography import join_english, join_french


@dataclass(frozen=True)
class Modal:
    """An English modal or semi-modal with its French verb, tense, and the words before the infinitive."""

    english: str
    french: str
    link: str = ""
    conditional: bool = False
    auxiliary: bool = False

    def finite(self, person: int) -> str:
        """Return the finite French verb."""
        conjugate = french_verbs.conditional if self.conditional else french_verbs.present
        return conjugate(self.french, person)


CAN = Modal("can", "pouvoir", auxiliary=True)
COULD = Modal("could", "pouvoir", conditional=True, auxiliary=True)
SHOULD = Modal("should", "devoir", conditional=True, auxiliary=True)
MUST = Modal("must", "devoir", auxiliary=True)
WANT = Modal("want to", "vouloir")
HAVE_TO = Modal("have to", "devoir")
NEED = Modal("need to", "avoir", "besoin de")
HOPE = Modal("hope to", "espérer")
PREFER = Modal("prefer to", "préférer")
WOULD_LIKE = Modal("would like to", "vouloir", conditional=True, auxiliary=True)
WOULD_LOVE = Modal("would love to", "aimer", conditional=True, auxiliary=True)
WOULD_PREFER = Modal("would prefer to", "préférer", conditional=True, auxiliary=True)
MODALS = (CAN, MUST, WANT, HAVE_TO, NEED, HOPE, PREFER, WOULD_LIKE, WOULD_LOVE, WOULD_PREFER, SHOULD)
# Not to have to is not to must not: ne pas devoir would forbid, so these are never negated here.
NEGATABLE = (CAN, WANT, NEED, SHOULD, MUST)


def english_modal(modal: Modal, subject: Subject, phrase: VerbPhrase, negation: str = "") -> str:
    """Return a clause: I want to buy a map, she cannot swim."""
    infinitive = english_verb_phrase(phrase, phrase.verb.english, negation)
    if modal.auxiliary:
        verb = join_english(modal.english, "not" if negation else "").replace("can not", "cannot")
    elif negation:
        verb = f"{'does' if subject.third else 'do'} not {modal.english}"
    else:
        verb = english_verbs.third_person(modal.english) if subject.third else modal.english
    return join_english(subject.english, verb, infinitive)


def french_modal(modal: Modal, subject: Subject, phrase: VerbPhrase, negation: str = "") -> str:
    """Return a clause: je veux acheter un plan, elle ne peut pas venir."""
    infinitive = french_infinitive(phrase, subject.person, negation)
    finite = modal.finite(subject.person)
    return join_french(subject.french, around(finite, negation), modal.link, infinitive)


def english_modal_question(modal: Modal, subject: Subject, phrase: VerbPhrase) -> str:
    """Return a yes-or-no question."""
    infinitive = english_verb_phrase(phrase, phrase.verb.english)
    if modal.auxiliary:
        head, _, rest = modal.english.partition(" ")
        return join_english(head, subject.english, rest, infinitive)
    return join_english("does" if subject.third else "do", subject.english, modal.english, infinitive)


def french_modal_question(modal: Modal, subject: Subject, phrase: VerbPhrase) -> str:
    """Return a yes-or-no question by inversion or est-ce que, as for other verbs."""
    infinitive = french_infinitive(phrase, subject.person)
    finite = modal.finite(subject.person)
    if asks_by_inversion(subject):
        return join_french(invert(finite, subject.french), modal.link, infinitive)
    return join_french("est-ce que", subject.french, finite, modal.link, infinitive)
