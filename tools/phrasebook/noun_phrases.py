"""Bilingual noun phrases: determiners, agreement and place of adjectives, numbers and negated objects."""

from dataclasses import dataclass, replace

from tools.phrasebook.numerals import english_number, french_number
from tools.phrasebook.orthography import (
    indefinite_article,
    join_english,
    join_french,
    starts_with_vowel_sound,
    with_preposition,
)

Tag = tuple[str, str, str]

ENGLISH_POSSESSIVES = ("my", "your", "his", "our", "your", "their")
# Masculine, feminine, plural; a feminine before a vowel borrows the masculine: mon amie.
FRENCH_POSSESSIVES = (
    ("mon", "ma", "mes"),
    ("ton", "ta", "tes"),
    ("son", "sa", "ses"),
    ("notre", "notre", "nos"),
    ("votre", "votre", "vos"),
    ("leur", "leur", "leurs"),
)


@dataclass(frozen=True)
class Noun:
    """A noun of the lexicon; ``number`` is count, mass, plural, pair (trousers, pantalon) or luggage (bagages)."""

    english: str
    english_plural: str
    french: str
    french_plural: str
    gender: str
    number: str
    classes: frozenset[str]


@dataclass(frozen=True)
class Adjective:
    """An adjective with its four French forms and the special masculine before a vowel (bel, nouvel, vieil)."""

    english: str
    masculine: str
    feminine: str
    masculine_plural: str
    feminine_plural: str
    before_vowel: str
    precedes: bool
    classes: tuple[str, ...]

    def form(self, gender: str, plural: bool) -> str:
        """Return the form that agrees."""
        if plural:
            return self.feminine_plural if gender == "f" else self.masculine_plural
        return self.feminine if gender == "f" else self.masculine


@dataclass(frozen=True)
class NounPhrase:
    """A noun phrase in both languages with what agreement, negation and pronouns need to know of it."""

    english: str
    french: str
    gender: str
    plural: bool
    english_plural: bool
    english_negated: str
    french_negated: str
    lemma: str
    tags: tuple[Tag, ...] = ()

    def after(self, preposition: str) -> str:
        """Return the French phrase behind a preposition, contracted."""
        return with_preposition(preposition, self.french)

    @property
    def clitic(self) -> str:
        """Return the direct object pronoun that replaces the phrase."""
        return "les" if self.plural else "la" if self.gender == "f" else "le"

    @property
    def pronoun(self) -> str:
        """Return the French subject pronoun that replaces the phrase."""
        return ("elle" if self.gender == "f" else "il") + ("s" if self.plural else "")


def number_of(noun: Noun, plural: bool) -> tuple[bool, bool]:
    """Return whether the English and the French noun stand in the plural."""
    return {
        "count": (plural, plural),
        "mass": (False, False),
        "plural": (True, True),
        "pair": (True, plural),
        "luggage": (False, True),
    }[noun.number]


def noun_group(noun: Noun, plural: bool, adjectives: tuple[Adjective, ...]) -> tuple[str, str, tuple[Tag, ...]]:
    """Set the adjectives around the noun: before it in English, where each belongs in French."""
    english_plural, french_plural = number_of(noun, plural)
    english_noun = noun.english_plural if english_plural and noun.number == "count" else noun.english
    french_noun = noun.french_plural if french_plural else noun.french
    after = [adjective.form(noun.gender, french_plural) for adjective in adjectives if not adjective.precedes]
    group = join_french(french_noun, *after)
    for adjective in reversed([adjective for adjective in adjectives if adjective.precedes]):
        form = adjective.form(noun.gender, french_plural)
        if noun.gender == "m" and not french_plural and starts_with_vowel_sound(group):
            form = adjective.before_vowel
        group = join_french(form, group)
    tags = tuple(("adjective", adjective.english, noun.english) for adjective in adjectives)
    return join_english(*(adjective.english for adjective in adjectives), english_noun), group, tags


def definite(group: str, gender: str, plural: bool) -> str:
    """Put le, la, l' or les before a group."""
    return join_french("les" if plural else "la" if gender == "f" else "le", group)


def partitive(group: str, gender: str) -> str:
    """Put du, de la or de l' before a singular group."""
    if starts_with_vowel_sound(group):
        return f"de l'{group}"
    return f"de la {group}" if gender == "f" else f"du {group}"


def demonstrative(group: str, gender: str, plural: bool) -> str:
    """Put ce, cet, cette or ces before a group."""
    if plural:
        return f"ces {group}"
    if gender == "f":
        return f"cette {group}"
    return f"cet {group}" if starts_with_vowel_sound(group) else f"ce {group}"


def possessive(group: str, gender: str, plural: bool, owner: int) -> str:
    """Put the possessive of an owner (a person from 0 to 5) before a group: mon amie, leurs valises."""
    masculine, feminine, plural_form = FRENCH_POSSESSIVES[owner]
    if plural:
        return f"{plural_form} {group}"
    return f"{masculine if gender == 'm' or starts_with_vowel_sound(group) else feminine} {group}"


def noun_phrase(
    noun: Noun,
    determiner: str,
    plural: bool = False,
    adjectives: tuple[Adjective, ...] = (),
    count: int = 0,
    owner: int = 0,
    owner_gender: str = "m",
) -> NounPhrase:
    """Build a phrase; the determiner is the, a, some, this, my, bare, which, number or an entry of ``QUANTIFIERS``.

    ``some`` is the partitive or the plural indefinite, ``a`` becomes it where the noun has no singular, ``bare`` is
    the English generic (I like cheese: le fromage). Under negation a and some leave only de: pas de billets.
    """
    plural = plural or count > 1
    english_plural, french_plural = number_of(noun, plural)
    english, french, tags = noun_group(noun, plural, adjectives)
    gender = noun.gender
    prenominal = any(adjective.precedes for adjective in adjectives)
    english_negated, french_negated = "", ""
    if determiner == "a" and (noun.number not in ("count", "pair") or plural):
        determiner = "some"
    if determiner == "the":
        english, french = f"the {english}", definite(french, gender, french_plural)
    elif determiner == "bare":
        french = definite(french, gender, french_plural)
    elif determiner == "a":
        french_negated = join_french("de", french)
        article = "a pair of" if noun.number == "pair" else indefinite_article(english)
        english, french = f"{article} {english}", f"{'une' if gender == 'f' else 'un'} {french}"
    elif determiner == "some":
        english_negated, french_negated = f"any {english}", join_french("de", french)
        english = f"some {english}"
        many = join_french("de" if prenominal else "des", french)
        french = many if french_plural else partitive(french, gender)
    elif determiner == "this":
        english = f"{'these' if english_plural else 'this'} {english}"
        french = demonstrative(french, gender, french_plural)
    elif determiner == "my":
        word = "her" if owner == 2 and owner_gender == "f" else ENGLISH_POSSESSIVES[owner]
        english, french = f"{word} {english}", possessive(french, gender, french_plural, owner)
    elif determiner == "which":
        which = "quel" + ("le" if gender == "f" else "") + ("s" if french_plural else "")
        english, french = f"which {english}", f"{which} {french}"
    elif determiner == "number":
        english, french = f"{english_number(count)} {english}", f"{french_number(count, gender)} {french}"
        tags = (*tags, ("number", english_number(count), noun.english))
    else:
        many, much, quantity = QUANTIFIERS[determiner]
        english, french = f"{many if english_plural else much} {english}", join_french(quantity, french)
    return NounPhrase(
        english=english,
        french=french,
        gender=gender,
        plural=french_plural,
        english_plural=english_plural,
        english_negated=english_negated or english,
        french_negated=french_negated or french,
        lemma=noun.english,
        tags=tags,
    )


# English before a plural, English before a mass noun, French.
QUANTIFIERS = {
    "a lot of": ("a lot of", "a lot of", "beaucoup de"),
    "too much": ("too many", "too much", "trop de"),
    "enough": ("enough", "enough", "assez de"),
    "a few": ("a few", "a little", "quelques"),
    "several": ("several", "several", "plusieurs"),
    "how much": ("how many", "how much", "combien de"),
    "more": ("more", "more", "plus de"),
}


def extended(phrase: NounPhrase, english: str, french: str) -> NounPhrase:
    """Add a complement at the end of a phrase: the key of the room."""
    return replace(
        phrase,
        english=f"{phrase.english} {english}",
        french=join_french(phrase.french, french),
        english_negated=f"{phrase.english_negated} {english}",
        french_negated=join_french(phrase.french_negated, french),
    )
