"""Clauses: subject, verb, objects, negation and tense put together in both languages.

Each English construction has one French construction. Yes-or-no questions with you, he, she and they invert verb and
pronoun; those with I, we or a noun use est-ce que.
"""

from dataclasses import dataclass, field

from tools.phrasebook import english_verbs, french_verbs
from tools.phrasebook.noun_phrases import NounPhrase, Tag
from tools.phrasebook.orthography import join_english, join_french, with_preposition

# English tenses; several share a French tense.
SIMPLE_PRESENT = "simple present"
CONTINUOUS = "present continuous"
GOING_TO = "near future"
SIMPLE_PAST = "simple past"
PERFECT = "present perfect"
JUST = "recent past"
PAST_TENSES = (SIMPLE_PAST, PERFECT)

REFLEXIVES = ("me", "te", "se", "nous", "vous", "se")
CLITIC_ORDER = {
    **dict.fromkeys(("me", "te", "se", "nous", "vous"), 0),
    **dict.fromkeys(("le", "la", "les"), 1),
    **dict.fromkeys(("lui", "leur"), 2),
    "y": 3,
    "en": 4,
}
# English word after the auxiliary or before the verb, for each French second half of the negation.
ENGLISH_NEGATION = {"pas": "not", "rien": "not", "pas encore": "not", "jamais": "never", "plus": "no longer"}
# Parts of a separable English verb let a pronoun stand between: try it on, but look for it.
SEPARABLE = (" on", " in", " up", " off", " back")
# Marks have as an auxiliary, which may be shortened (I've lost), unlike have as a verb (I have a ticket).
AUXILIARY_HAVE = {True: "has_", False: "have_"}


@dataclass(frozen=True)
class Verb:
    """A pair of verbs: the French one may be reflexive (se lever) or take its object behind a preposition."""

    english: str
    french: str
    preposition: str = ""

    @property
    def reflexive(self) -> bool:
        """Tell whether the French verb is reflexive."""
        return self.french.startswith(("se ", "s'"))

    @property
    def infinitive(self) -> str:
        """Return the French infinitive without its reflexive pronoun."""
        return self.french.removeprefix("se ").removeprefix("s'")


@dataclass(frozen=True)
class Subject:
    """A subject in both languages; ``person`` runs from 0 (je) to 5 (ils)."""

    english: str
    french: str
    person: int
    gender: str = "m"
    plural: bool = False
    pronoun: bool = True
    owner_gender: str = "m"

    @property
    def third(self) -> bool:
        """Tell whether the English verb takes the ending of he and she."""
        return self.person == 2

    @property
    def be(self) -> str:
        """Return the present of be."""
        return "am" if self.english == "I" else "is" if self.third else "are"

    @property
    def was(self) -> str:
        """Return the past of be."""
        return "was" if self.english == "I" or self.third else "were"


@dataclass(frozen=True)
class Pronoun:
    """An object pronoun: English word, French clitics, and the agreement it asks of a participle."""

    english: str
    clitics: tuple[str, ...]
    gender: str = "m"
    plural: bool = False
    agrees: bool = True


@dataclass(frozen=True)
class VerbPhrase:
    """A verb with a noun phrase or a pronoun as its object and any further complement."""

    verb: Verb
    object: NounPhrase | None = None
    pronoun: Pronoun | None = None
    rest: tuple[str, str] = ("", "")
    tags: tuple[Tag, ...] = field(default=())

    @property
    def all_tags(self) -> tuple[Tag, ...]:
        """Return the tags of the phrase and of its object."""
        return self.tags + (self.object.tags if self.object else ())


def english_verb_phrase(phrase: VerbPhrase, form: str, negation: str = "") -> str:
    """Put object and complement behind an inflected English verb; a pronoun comes before a separable particle."""
    tail = join_english(phrase.rest[0], "yet" if negation == "pas encore" else "")
    if phrase.pronoun and phrase.pronoun.english:
        for particle in SEPARABLE:
            if phrase.verb.english.endswith(particle):
                return join_english(form.removesuffix(particle), phrase.pronoun.english, particle[1:], tail)
        return join_english(form, phrase.pronoun.english, tail)
    noun = ""
    if phrase.object:
        noun = phrase.object.english_negated if negation else phrase.object.english
    return join_english(form, noun, "anything" if negation == "rien" else "", tail)


def french_object(phrase: VerbPhrase, negation: str) -> str:
    """Return the object behind the verb with its preposition; under negation a direct indefinite becomes de."""
    if phrase.object is None:
        return ""
    if phrase.verb.preposition:
        return with_preposition(phrase.verb.preposition, phrase.object.french)
    return phrase.object.french_negated if negation else phrase.object.french


def french_clitics(phrase: VerbPhrase, person: int) -> str:
    """Return the pronouns before the verb in their fixed order: me le, le lui, lui en."""
    clitics = phrase.pronoun.clitics if phrase.pronoun else ()
    if phrase.verb.reflexive:
        clitics = (REFLEXIVES[person], *clitics)
    return join_french(" ".join(sorted(clitics, key=lambda clitic: CLITIC_ORDER[clitic])))


def french_participle(phrase: VerbPhrase, subject: Subject) -> str:
    """Return the participle: it agrees with the subject after être, with a direct object pronoun after avoir."""
    infinitive = phrase.verb.infinitive
    if phrase.pronoun and phrase.pronoun.agrees:
        return french_verbs.participle(infinitive, phrase.pronoun.gender, phrase.pronoun.plural)
    if infinitive in french_verbs.BE_VERBS or (phrase.verb.reflexive and phrase.object is None):
        return french_verbs.participle(infinitive, subject.gender, subject.plural)
    return french_verbs.participle(infinitive)


def around(finite: str, negation: str, clitics: str = "") -> str:
    """Put ne and the pronouns before a finite verb and the second half of the negation behind it."""
    return join_french("ne" if negation else "", clitics, finite, negation)


def french_infinitive(phrase: VerbPhrase, person: int, negation: str = "") -> str:
    """Return the infinitive with its pronouns and object: me lever, la prendre, acheter du pain."""
    return join_french(
        french_clitics(phrase, person), phrase.verb.infinitive, french_object(phrase, negation), phrase.rest[1]
    )


def french_predicate(
    phrase: VerbPhrase, subject: Subject, tense: str, negation: str = "", adverb: str = "", inverted: str = ""
) -> str:
    """Return everything that follows the French subject; ``inverted`` is a pronoun to hang on the finite verb."""
    verb, person = phrase.verb, subject.person
    helper, clitics = verb.infinitive, french_clitics(phrase, person)
    rest: tuple[str, ...] = (french_object(phrase, negation), phrase.rest[1])
    if tense in (GOING_TO, JUST):
        helper, clitics = "aller" if tense == GOING_TO else "venir", ""
        rest = ("de" if tense == JUST else "", french_infinitive(phrase, person, negation))
    elif tense in PAST_TENSES:
        helper = "être" if verb.reflexive else french_verbs.auxiliary(verb.infinitive)
        rest = (french_participle(phrase, subject), *rest)
    finite = french_verbs.present(helper, person)
    return join_french(around(invert(finite, inverted) if inverted else finite, negation, clitics), adverb, *rest)


def english_predicate(phrase: VerbPhrase, subject: Subject, tense: str, negation: str = "", adverb: str = "") -> str:
    """Return everything that follows the English subject."""
    verb = phrase.verb.english
    negative = ENGLISH_NEGATION.get(negation, "")
    have = AUXILIARY_HAVE[subject.third]
    if tense == CONTINUOUS:
        head, form = join_english(subject.be, negative), english_verbs.present_participle(verb)
    elif tense == GOING_TO:
        head, form = join_english(subject.be, negative, "going to"), verb
    elif tense == JUST:
        head, form = join_english(have, "just"), english_verbs.past_participle(verb)
    elif tense == PERFECT:
        head, form = join_english(have, negative, adverb), english_verbs.past_participle(verb)
    elif negative == "not":
        auxiliary = "did" if tense == SIMPLE_PAST else "does" if subject.third else "do"
        head, form = join_english(auxiliary, "not", adverb), verb
    else:
        finite = english_verbs.past(verb) if tense == SIMPLE_PAST else verb
        if tense == SIMPLE_PRESENT and subject.third:
            finite = english_verbs.third_person(verb)
        head, form = join_english(negative, adverb), finite
    return join_english(head, english_verb_phrase(phrase, form, negation))


def english_clause(phrase: VerbPhrase, subject: Subject, tense: str, negation: str = "", adverb: str = "") -> str:
    """Return a whole English clause."""
    return join_english(subject.english, english_predicate(phrase, subject, tense, negation, adverb))


def french_clause(phrase: VerbPhrase, subject: Subject, tense: str, negation: str = "", adverb: str = "") -> str:
    """Return a whole French clause."""
    return join_french(subject.french, french_predicate(phrase, subject, tense, negation, adverb))


def invert(finite: str, pronoun: str) -> str:
    """Hang the pronoun on the verb, with -t- between two vowels: a-t-il, parle-t-elle, prend-il."""
    link = "-t-" if finite[-1] in "aec" and pronoun[0] in "ie" else "-"
    return f"{finite}{link}{pronoun}"


def asks_by_inversion(subject: Subject) -> bool:
    """Apply the convention: you, he, she, they invert; I, we and nouns take est-ce que."""
    return subject.pronoun and subject.person in (2, 4, 5)


def french_question(phrase: VerbPhrase, subject: Subject, tense: str, adverb: str = "") -> str:
    """Return a yes-or-no question without its question mark."""
    if asks_by_inversion(subject):
        return french_predicate(phrase, subject, tense, "", adverb, subject.french)
    return join_french("est-ce que", french_clause(phrase, subject, tense, "", adverb))


def english_question(phrase: VerbPhrase, subject: Subject, tense: str, adverb: str = "") -> str:
    """Return a yes-or-no question without its question mark."""
    verb = phrase.verb.english
    if tense in (CONTINUOUS, GOING_TO):
        going = "going to" if tense == GOING_TO else ""
        form = verb if going else english_verbs.present_participle(verb)
        return join_english(subject.be, subject.english, going, english_verb_phrase(phrase, form, "?"))
    if tense == PERFECT:
        have = "has" if subject.third else "have"
        form = english_verbs.past_participle(verb)
        return join_english(have, subject.english, adverb, english_verb_phrase(phrase, form, "?"))
    auxiliary = "did" if tense == SIMPLE_PAST else "does" if subject.third else "do"
    return join_english(auxiliary, subject.english, adverb, english_verb_phrase(phrase, verb, "?"))


def french_imperative(phrase: VerbPhrase, person: int = 4, negation: str = "") -> str:
    """Command: pronouns hang behind the verb (donnez-le-moi) unless it is negated (ne le touchez pas)."""
    finite = french_verbs.imperative(phrase.verb.infinitive, person)
    if negation:
        head = around(finite, negation, french_clitics(phrase, person))
        return join_french(head, french_object(phrase, negation), phrase.rest[1])
    clitics = list(phrase.pronoun.clitics if phrase.pronoun else ())
    if phrase.verb.reflexive:
        clitics.append(REFLEXIVES[person])
    clitics.sort(key=lambda clitic: (0 if clitic in ("le", "la", "les") else 1, CLITIC_ORDER[clitic]))
    stressed = [{"me": "moi", "te": "toi"}.get(clitic, clitic) for clitic in clitics]
    return join_french("-".join([finite, *stressed]), french_object(phrase, ""), phrase.rest[1])
