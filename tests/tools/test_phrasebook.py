"""Tests of the phrasebook grammar and of the files it has written."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tools.phrasebook import french_verbs, holdout
from tools.phrasebook.calendar import english_clock, french_clock, french_date
from tools.phrasebook.clauses import (
    GOING_TO,
    JUST,
    PERFECT,
    SIMPLE_PAST,
    SIMPLE_PRESENT,
    Pronoun,
    Verb,
    VerbPhrase,
    english_clause,
    english_question,
    french_clause,
    french_imperative,
    french_question,
)
from tools.phrasebook.corpus import Corpus, build, key, words, write
from tools.phrasebook.draw import Draw
from tools.phrasebook.fixed_phrases import fixed_pairs
from tools.phrasebook.lexicon.adjectives import ATTRIBUTIVE
from tools.phrasebook.lexicon.nouns import noun
from tools.phrasebook.lexicon.people import HE, SHE, THEY, WE, YOU, I, named
from tools.phrasebook.lexicon.places import COUNTRIES
from tools.phrasebook.noun_phrases import noun_phrase
from tools.phrasebook.numerals import english_number, english_ordinal, french_number, french_ordinal
from tools.phrasebook.orthography import indefinite_article, join_french, with_preposition
from tools.phrasebook.sentences import shorten

DATA = Path(__file__).resolve().parents[2] / "data" / "phrasebook"
SIZES = {"train": 20000, "valid": 500, "test": 1000}


@cache
def lines(name: str) -> list[str]:
    """Read a file of the corpus without its newlines."""
    return (DATA / name).read_text(encoding="utf-8").splitlines()


@cache
def pairs(name: str) -> list[tuple[str, str]]:
    """Read a part of the corpus."""
    return list(zip(lines(f"{name}.en"), lines(f"{name}.fr"), strict=True))


def unseen_pairs() -> list[tuple[str, str]]:
    """Read the unseen group of the test."""
    return [pair for pair, group in zip(pairs("test"), lines("test.groups"), strict=True) if group == "unseen"]


def every_pair() -> Iterator[tuple[str, str]]:
    """Read the three parts one after another."""
    for name in SIZES:
        yield from pairs(name)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Build the corpus once for all tests."""
    return build()


# The files.


def test_grammar_writes_the_same_bytes_again(corpus: Corpus, tmp_path: Path) -> None:
    """A second run of the grammar gives the files that are shipped."""
    write(corpus, tmp_path)
    for path in sorted(tmp_path.iterdir()):
        assert path.read_bytes() == (DATA / path.name).read_bytes(), path.name
    assert len(list(tmp_path.iterdir())) == 7


def test_sizes_and_groups() -> None:
    """The parts have the sizes that the README promises."""
    for name, size in SIZES.items():
        assert len(pairs(name)) == size
    assert Counter(lines("test.groups")) == {"seen": 700, "unseen": 300}


def test_parts_share_no_sentence_on_either_side() -> None:
    """No source and no target of one part stands in another, capitals and punctuation apart."""
    for side in (0, 1):
        sets = [{key(pair[side]) for pair in pairs(name)} for name in SIZES]
        assert not sets[0] & sets[1]
        assert not sets[0] & sets[2]
        assert not sets[1] & sets[2]


def test_no_pair_twice_and_one_french_for_each_english() -> None:
    """An English sentence has a single translation in the whole corpus."""
    french_of: dict[str, str] = {}
    for name, size in SIZES.items():
        assert len(set(pairs(name))) == size
    for english, french in every_pair():
        assert french_of.setdefault(key(english), key(french)) == key(french)


def test_fixed_phrases_are_in_train() -> None:
    """Everyday phrases can be learnt as they stand."""
    train = set(pairs("train"))
    keys = {key(english) for english, _ in train}
    assert len(fixed_pairs()) > 250
    assert all(key(english) in keys for english, _ in fixed_pairs())
    assert ("Where is the station?", "Où est la gare ?") in train
    assert ("I would like two tickets, please.", "Je voudrais deux billets, s'il vous plaît.") in train


FORBIDDEN_FRENCH = {
    "missed contraction": r"\b(?:de|à) les?\b(?! \w+(?:er|ir|re|oir)\b)(?!-)",
    "missed elision": r"\b(?:je|me|te|se|le|la|de|ne|que|jusque|lorsque) (?!onze|oui)[aeiouâàéèêëîïôœ]",
    "missed elision before a silent h": r"\b(?:je|le|la|de|ne|que) (?!huit|homard|haricot|haut)h",
    "si il": r"\bsi ils?\b",
    "wrong form before a vowel": r"\b(?:ce|ma|ta|sa|nouveau|vieux|du) (?!onze)[aeiouâàéèêëîïôœ]\w",
    "elision before a consonant": r"\b(?:[jmtsldn]|qu)'[bcdfgjklmnpqrstvwxz]",
    "plural article and singular": r"\bles? (?:les?|la|l')\b",
    "space before a mark": r"\S[?!;:]",
    "space before a comma or stop": r" [,.]",
    "two spaces": r"  ",
    "curly apostrophe or special space": "[\u2019\u00a0\u202f]",
    "tu form of a polite sentence": r"\btu\b(?!.*\?)",
    "number agreement of an auxiliary": r"\bils? ont été\b",
    "noun after pas without de": r"\b(?:n'ai|n'a|n'avons|n'avez|n'ont) pas (?:un|une|des|du|de la)\b",
    "de les after a negation": r"\bpas des\b",
    "avoir with a verb of movement": r"\b(?:ai|a|avons|avez|ont) (?:allé|venu|parti|sorti|arrivé)e?s?\b",
    "masculine article": r"\b(?:un|le|mon|ce) (?:gare|robe|chemise|valise|chambre|clé|table|rue|plage)\b",
    "feminine article": r"\b(?:une|la|ma|cette) (?:billet|musée|train|restaurant|pont|pull|lit|vin)\b",
}


@pytest.mark.parametrize("name", FORBIDDEN_FRENCH)
def test_no_forbidden_french(name: str) -> None:
    """No line shows a mistake that a pattern can find."""
    pattern = re.compile(FORBIDDEN_FRENCH[name], re.IGNORECASE)
    found = [french for _, french in every_pair() if pattern.search(french)]
    assert not found[:5]


@pytest.mark.parametrize(
    "pattern",
    [
        r"\ba (?:apple|orange|egg|umbrella|omelette|hour|ice cream|interesting|old|Italian|excellent|English)\b",
        r"\ban (?:book|hotel|key|ticket|university|room)\b",
        r"^(?:he|she|it) (?:have|do|are|were|go|want)\b",
        r"  | [?!.,]|_|\u2019",
        r"\b(\w+) \1\b",
        r"\bdo(?:es)? not (?:has|is|was)\b",
        r"\bsome any\b|\bany some\b",
    ],
)
def test_no_forbidden_english(pattern: str) -> None:
    """The English side keeps to its grammar, too."""
    found = [english for english, _ in every_pair() if re.search(pattern, english)]
    assert not found[:5]


def test_sentences_have_ends_capitals_and_a_bearable_length() -> None:
    """Each line is a sentence with the same end mark on both sides."""
    for english, french in every_pair():
        assert english[0].isupper()
        assert french[0].isupper()
        assert english[-1] == french[-1]
        assert english[-1] in ".?!"
        assert 1 <= len(words(english)) <= 22
        assert 1 <= len(words(french)) <= 24


def test_vocabulary_is_small_and_known() -> None:
    """Valid and test, the unseen group included, use words that train has shown."""
    for side in (0, 1):
        train = {word for pair in pairs("train") for word in words(pair[side])}
        assert 800 <= len(train) <= 1800
        for name in ("valid", "test"):
            assert {word for pair in pairs(name) for word in words(pair[side])} <= train


# The combinations held out, looked for in the text without the tags of the grammar.


def english_forms(word: str) -> str:
    """Return a pattern of the singular and the plural of an English noun."""
    entry = noun(word)
    return f"(?:{entry.english}|{entry.english_plural})"


def french_forms(word: str) -> str:
    """Return a pattern of the singular and the plural of a French noun."""
    entry = noun(word)
    return f"(?:{entry.french}|{entry.french_plural})"


def held(kind: str) -> list[tuple[str, str]]:
    """Return the held-out combinations of a kind."""
    return sorted((first, second) for name, first, second in holdout.HELD_OUT if name == kind)


@cache
def known_text(side: int) -> str:
    """Return all sentences of one side but those of the unseen group, one a line."""
    seen = [pair for pair, group in zip(pairs("test"), lines("test.groups"), strict=True) if group == "seen"]
    return "\n".join(pair[side] for pair in [*pairs("train"), *pairs("valid"), *seen])


def assert_only_in_unseen(english_pattern: str, french_pattern: str, required: bool = False) -> None:
    """Assert that no line of train, of valid or of the seen group matches."""
    flags = re.IGNORECASE | re.MULTILINE
    assert not re.search(english_pattern, known_text(0), flags)
    assert not re.search(french_pattern, known_text(1), flags)
    if required:
        assert any(re.search(english_pattern, english, flags) for english, _ in unseen_pairs())


@pytest.mark.parametrize(("adjective", "thing"), held("adjective"))
def test_held_out_adjective_and_noun_never_meet(adjective: str, thing: str) -> None:
    """A held-out adjective stands neither beside its noun nor behind it as a predicate."""
    entry = ATTRIBUTIVE[adjective]
    forms = {entry.masculine, entry.feminine, entry.masculine_plural, entry.feminine_plural, entry.before_vowel}
    french_adjective = f"(?:{'|'.join(sorted(forms))})(?! marché)"
    nouns = english_forms(thing)
    degree = r"(?:(?:not |a little |much )?(?:very |too )?)"
    assert_only_in_unseen(
        rf"\b{adjective} {nouns}\b|\b{nouns} (?:is|are|was|were) {degree}{adjective}\b(?! than)",
        rf"\b{french_adjective} {french_forms(thing)}\b|\b{french_forms(thing)} {french_adjective}\b",
    )


@pytest.mark.parametrize(("number", "thing"), held("number"))
def test_held_out_number_and_noun_never_meet(number: str, thing: str) -> None:
    """A held-out number never counts its noun."""
    classes = "(?:return |single |first-class |second-class )?"
    value = next(value for value in range(20) if english_number(value) == number)
    assert_only_in_unseen(
        rf"(?<![\w-]){number} {classes}{english_forms(thing)}\b(?! juice)",
        rf"(?<![\w-]){french_number(value)} {french_forms(thing)}\b",
        True,
    )


@pytest.mark.parametrize(
    "french",
    [
        r"\b(?:pas|jamais|encore) loué\b",
        r"\b(?:pas|jamais|encore) visitée?s?\b",
        r"\b(?:pas|jamais|encore) lue?s?\b",
        r"\b(?:pas|jamais|encore) nagé\b",
        r"\b(?:pas|jamais|encore) vendue?s?\b",
        r"\b(?:viens|vient|venons|venez|viennent) de commander\b",
        r"\b(?:viens|vient|venons|venez|viennent) d'annuler\b",
        r"\b(?:que |qu')[\w ]*\blavée?s?\b",
        r"\ben train de boire\b",
        r"\brien vu\b",
        r"^Ne signez pas\b",
        r"\b(?:le|la|les|l') ?(?:ai|as|a|avons|avez|ont) (?:pas )?(?:encore )?(?:réservé|ouvert)e?s?\b",
        r"\b(?:vais|va|allons|allez|vont) pas (?:revenir|me reposer|te reposer|se reposer|nous reposer)\b",
    ],
)
def test_held_out_verb_and_construction_never_meet(french: str) -> None:
    """Held-out constructions, found by their words."""
    assert_only_in_unseen(r"(?!x)x", french)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(?:\w[\w ,]*, )?where is the (?:library|theatre|harbour)\b",
        r"\bthe nearest (?:bakery|swimming pool)\b",
        r"\bwhere the (?:cathedral|embassy|lift) is\b",
        r"\bIs the (?:stadium|zoo) far\b",
        r"\b(?:church|university) is \S+ minutes\b",
        r"\bhow much is (?:the|this) (?:\w+ )?(?:hat|ring)\b",
        r"\bhow many (?:peaches|tickets)\b",
        r"\b(?:television|lamp)\b.*\b(?:does not work|doesn't work|no longer works)\b",
        r"\bwhich jackets?\b",
        r"\bthe pharmacy is (?:next|opposite|near|behind|in front|far|to the|on the|at the|in the)\b",
    ],
)
def test_held_out_noun_and_template_never_meet(pattern: str) -> None:
    """Held-out questions and templates do not show their nouns in train."""
    assert_only_in_unseen(pattern, r"(?!x)x")


def test_unseen_group_shows_most_combinations(corpus: Corpus) -> None:
    """The unseen group draws on all kinds of combinations, not on a few."""
    tags = Counter(
        tag
        for pair, group in zip(corpus.test, corpus.groups, strict=True)
        if group == "unseen"
        for tag in holdout.held_out(pair.tags)
    )
    assert len(tags) > 100
    assert {tag[0] for tag in tags} == set(holdout.KINDS)
    assert not [pair for pair in corpus.train + corpus.valid if holdout.held_out(pair.tags)]


# The grammar, against expectations written by hand.


@pytest.mark.parametrize(
    ("number", "french"),
    [
        (0, "zéro"),
        (16, "seize"),
        (17, "dix-sept"),
        (21, "vingt et un"),
        (31, "trente et un"),
        (70, "soixante-dix"),
        (71, "soixante et onze"),
        (72, "soixante-douze"),
        (77, "soixante-dix-sept"),
        (80, "quatre-vingts"),
        (81, "quatre-vingt-un"),
        (90, "quatre-vingt-dix"),
        (91, "quatre-vingt-onze"),
        (99, "quatre-vingt-dix-neuf"),
        (100, "cent"),
        (101, "cent un"),
        (180, "cent quatre-vingts"),
        (200, "deux cents"),
        (210, "deux cent dix"),
        (280, "deux cent quatre-vingts"),
        (999, "neuf cent quatre-vingt-dix-neuf"),
        (1000, "mille"),
        (2000, "deux mille"),
    ],
)
def test_french_numbers(number: int, french: str) -> None:
    """Numbers follow the traditional spelling."""
    assert french_number(number) == french


def test_more_numbers() -> None:
    """Gender, ordinals and English numbers."""
    assert french_number(1, "f") == "une"
    assert french_number(21, "f") == "vingt et une"
    assert french_number(81, "f") == "quatre-vingt-une"
    assert [french_ordinal(number) for number in (1, 2, 4, 5, 9, 21)] == (
        ["premier", "deuxième", "quatrième", "cinquième", "neuvième", "vingt et unième"]
    )
    assert english_number(214) == "two hundred and fourteen"
    assert english_number(81) == "eighty-one"
    assert [english_ordinal(number) for number in (3, 12, 20, 21, 30)] == (
        ["third", "twelfth", "twentieth", "twenty-first", "thirtieth"]
    )


@pytest.mark.parametrize(
    ("hour", "minute", "english", "french"),
    [
        (8, 30, "half past eight", "huit heures et demie"),
        (1, 0, "one", "une heure"),
        (15, 15, "a quarter past three", "trois heures et quart"),
        (8, 45, "a quarter to nine", "neuf heures moins le quart"),
        (12, 0, "noon", "midi"),
        (12, 30, "half past twelve", "midi et demi"),
        (11, 50, "ten to twelve", "midi moins dix"),
        (0, 0, "midnight", "minuit"),
        (23, 55, "five to midnight", "minuit moins cinq"),
        (21, 5, "five past nine", "neuf heures cinq"),
    ],
)
def test_clock(hour: int, minute: int, english: str, french: str) -> None:
    """Clock times in words."""
    assert english_clock(hour, minute) == english
    assert french_clock(hour, minute) == french


def test_dates() -> None:
    """Only the first of a month is an ordinal."""
    assert french_date(1, 5) == "premier mai"
    assert french_date(11, 8) == "onze août"


@pytest.mark.parametrize(
    ("parts", "joined"),
    [
        (("je", "ai"), "j'ai"),
        (("je", "ne", "ai", "pas", "de", "argent"), "je n'ai pas d'argent"),
        (("parce que", "il pleut"), "parce qu'il pleut"),
        (("si", "il fait beau"), "s'il fait beau"),
        (("si", "elle vient"), "si elle vient"),
        (("je", "y", "vais"), "j'y vais"),
        (("le", "huit mai"), "le huit mai"),
        (("le", "onze mai"), "le onze mai"),
        (("le", "homme"), "l'homme"),
        (("le", "yaourt"), "le yaourt"),
        (("ce", "est"), "c'est"),
        (("la", "eau"), "l'eau"),
        (("le", "œuf"), "l'œuf"),
    ],
)
def test_elision(parts: tuple[str, ...], joined: str) -> None:
    """Short words lose their vowel before a vowel or a silent h."""
    assert join_french(*parts) == joined


@pytest.mark.parametrize(
    ("preposition", "phrase", "expected"),
    [
        ("à", "le musée", "au musée"),
        ("à", "les toilettes", "aux toilettes"),
        ("à", "la gare", "à la gare"),
        ("à", "l'hôtel", "à l'hôtel"),
        ("de", "le marché", "du marché"),
        ("de", "les bagages", "des bagages"),
        ("près de", "l'aéroport", "près de l'aéroport"),
        ("jusque à", "le pont", "jusqu'au pont"),
        ("besoin de", "du pain", "besoin de pain"),
        ("besoin de", "de l'eau", "besoin d'eau"),
        ("besoin de", "un médecin", "besoin d'un médecin"),
    ],
)
def test_contraction(preposition: str, phrase: str, expected: str) -> None:
    """À and de contract with le and les; de swallows the partitive."""
    assert with_preposition(preposition, phrase) == expected


@pytest.mark.parametrize(
    ("word", "determiner", "plural", "adjectives", "english", "french"),
    [
        ("hotel", "a", False, ("beautiful",), "a beautiful hotel", "un bel hôtel"),
        ("hotel", "a", False, ("old",), "an old hotel", "un vieil hôtel"),
        ("flat", "this", False, ("new",), "this new flat", "ce nouvel appartement"),
        ("flat", "this", False, (), "this flat", "cet appartement"),
        ("restaurant", "some", True, ("good",), "some good restaurants", "de bons restaurants"),
        ("dress", "a", False, ("pretty", "red"), "a pretty red dress", "une jolie robe rouge"),
        ("shoes", "some", False, ("brown",), "some brown shoes", "des chaussures marron"),
        ("water", "some", False, (), "some water", "de l'eau"),
        ("meat", "some", False, (), "some meat", "de la viande"),
        ("bread", "some", False, ("good",), "some good bread", "du bon pain"),
        ("trousers", "a", False, ("black",), "a pair of black trousers", "un pantalon noir"),
        ("scarf", "my", False, (), "my scarf", "mon écharpe"),
        ("scarf", "my", False, ("beautiful",), "my beautiful scarf", "ma belle écharpe"),
        ("luggage", "my", False, ("heavy",), "my heavy luggage", "mes bagages lourds"),
        ("newspaper", "the", True, ("French",), "the French newspapers", "les journaux français"),
        ("egg", "how much", True, (), "how many eggs", "combien d'œufs"),
        ("dress", "which", False, (), "which dress", "quelle robe"),
        ("shirt", "this", True, ("white",), "these white shirts", "ces chemises blanches"),
    ],
)
def test_noun_phrases(
    word: str, determiner: str, plural: bool, adjectives: tuple[str, ...], english: str, french: str
) -> None:
    """Determiners agree, adjectives stand where they belong."""
    phrase = noun_phrase(noun(word), determiner, plural, tuple(ATTRIBUTIVE[name] for name in adjectives))
    assert (phrase.english, phrase.french) == (english, french)


def test_english_articles() -> None:
    """The article follows the sound."""
    assert [indefinite_article(word) for word in ("hour", "university", "egg", "hotel", "Italian wine")] == (
        ["an", "a", "an", "a", "an"]
    )


def test_countries() -> None:
    """En, au, aux; d', du, des."""
    by_name = {country.english: country for country in COUNTRIES}
    assert by_name["Italy"].to == "en Italie"
    assert by_name["Italy"].origin == "d'Italie"
    assert by_name["Portugal"].to == "au Portugal"
    assert by_name["Portugal"].origin == "du Portugal"
    assert by_name["the United States"].to == "aux États-Unis"
    assert by_name["the Netherlands"].origin == "des Pays-Bas"


@pytest.mark.parametrize(
    ("infinitive", "forms"),
    [
        ("acheter", "achète achètes achète achetons achetez achètent"),
        ("manger", "mange manges mange mangeons mangez mangent"),
        ("commencer", "commence commences commence commençons commencez commencent"),
        ("appeler", "appelle appelles appelle appelons appelez appellent"),
        ("préférer", "préfère préfères préfère préférons préférez préfèrent"),
        ("payer", "paie paies paie payons payez paient"),
        ("finir", "finis finis finit finissons finissez finissent"),
        ("attendre", "attends attends attend attendons attendez attendent"),
        ("boire", "bois bois boit buvons buvez boivent"),
    ],
)
def test_present(infinitive: str, forms: str) -> None:
    """Regular verbs, changes of spelling and irregular verbs."""
    assert [french_verbs.present(infinitive, person) for person in range(6)] == forms.split()


def test_other_verb_forms() -> None:
    """Participles, conditional, imperfect and imperative."""
    assert french_verbs.participle("prendre", "f", True) == "prises"
    assert french_verbs.participle("prendre", "m", True) == "pris"
    assert french_verbs.participle("devoir", "f") == "due"
    assert french_verbs.conditional("pouvoir", 4) == "pourriez"
    assert french_verbs.conditional("vouloir", 0) == "voudrais"
    assert french_verbs.conditional("préférer", 0) == "préférerais"
    assert french_verbs.imperfect("être", 5) == "étaient"
    assert french_verbs.imperfect("manger", 3) == "mangions"
    assert french_verbs.imperative("donner", 1) == "donne"
    assert french_verbs.imperative("être", 4) == "soyez"


BUY_TICKET = VerbPhrase(Verb("buy", "acheter"), noun_phrase(noun("ticket"), "a"))
BUY_THEM = VerbPhrase(Verb("buy", "acheter"), pronoun=Pronoun("them", ("les",), "f", True))
GET_UP = VerbPhrase(Verb("get up", "se lever"))
PHONE_HER = VerbPhrase(Verb("phone", "téléphoner"), pronoun=Pronoun("her", ("lui",), agrees=False))
GO_OUT = VerbPhrase(Verb("go out", "sortir"))
NOTHING = VerbPhrase(Verb("see", "voir"))


def test_clauses() -> None:
    """Negation, auxiliaries, pronouns and agreement."""
    assert french_clause(BUY_TICKET, I, SIMPLE_PAST, "pas") == "je n'ai pas acheté de billet"
    assert french_clause(BUY_THEM, I, SIMPLE_PAST) == "je les ai achetées"
    assert french_clause(BUY_THEM, WE, GOING_TO, "pas") == "nous n'allons pas les acheter"
    assert french_clause(GET_UP, SHE, SIMPLE_PAST, "pas") == "elle ne s'est pas levée"
    assert french_clause(GET_UP, THEY, SIMPLE_PRESENT) == "ils se lèvent"
    assert french_clause(GET_UP, WE, GOING_TO) == "nous allons nous lever"
    assert french_clause(PHONE_HER, HE, PERFECT, "pas encore") == "il ne lui a pas encore téléphoné"
    assert french_clause(GO_OUT, named("Marie"), SIMPLE_PAST) == "Marie est sortie"
    assert french_clause(GO_OUT, THEY, JUST) == "ils viennent de sortir"
    assert french_clause(NOTHING, I, SIMPLE_PAST, "rien") == "je n'ai rien vu"
    assert english_clause(NOTHING, I, SIMPLE_PAST, "rien") == "I did not see anything"
    assert english_clause(BUY_THEM, SHE, PERFECT, "pas encore") == "she has_ not bought them yet"


def test_questions() -> None:
    """Inversion with pronouns, est-ce que with the rest."""
    assert french_question(BUY_TICKET, SHE, SIMPLE_PAST) == "a-t-elle acheté un billet"
    assert french_question(BUY_TICKET, YOU, SIMPLE_PRESENT) == "achetez-vous un billet"
    assert french_question(BUY_THEM, YOU, SIMPLE_PAST) == "les avez-vous achetées"
    assert french_question(GET_UP, YOU, SIMPLE_PAST) == "vous êtes-vous levé"
    assert french_question(GO_OUT, named("Anna"), GOING_TO) == "est-ce qu'Anna va sortir"
    assert english_question(GO_OUT, named("Anna"), GOING_TO) == "is Anna going to go out"


def test_imperatives() -> None:
    """Pronouns hang behind the verb, unless it is negated."""
    give = VerbPhrase(Verb("give", "donner"), pronoun=Pronoun("it", ("me", "le")))
    assert french_imperative(give) == "donnez-le-moi"
    assert french_imperative(give, 4, "pas") == "ne me le donnez pas"
    assert french_imperative(GET_UP) == "levez-vous"
    assert french_imperative(GET_UP, 3) == "levons-nous"


def test_short_forms() -> None:
    """Have is shortened as an auxiliary only."""
    assert shorten("I have_ lost my key") == "I've lost my key"
    assert shorten("I have a key") == "I have a key"
    assert shorten("she has_ not left") == "she hasn't left"
    assert shorten("I would like to know where it is") == "I'd like to know where it is"
    assert shorten("we cannot come") == "we can't come"


def test_draw_is_stable() -> None:
    """The choices for a seed are fixed for good."""
    draw = Draw(7)
    assert [draw.below(100) for _ in range(6)] == [32, 15, 65, 7, 53, 36]
    assert sorted(draw.shuffled(range(10))) == list(range(10))
