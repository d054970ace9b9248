"""Introductions and small talk: names, origin, age, family, work, languages, tastes, experience."""

from tools.phrasebook import english_verbs, french_verbs
from tools.phrasebook.clauses import Subject
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import PERSONAL, STATES
from tools.phrasebook.lexicon.nouns import noun, nouns_of
from tools.phrasebook.lexicon.people import ADULTS, FRIENDS, HE, MEN, NAMED, SHE, THEY, WE, WOMEN, YOU, I, relative
from tools.phrasebook.lexicon.places import CITIES, COUNTRIES, LANGUAGES, NATIONALITIES
from tools.phrasebook.noun_phrases import definite, noun_group, noun_phrase
from tools.phrasebook.numerals import english_number, french_number
from tools.phrasebook.orthography import indefinite_article, join_french, with_preposition
from tools.phrasebook.sentences import Pair, question, statement
from tools.phrasebook.templates.health import AVOIR, ETRE

LIKED = tuple(entry for entry in nouns_of("liked", "fruit", "sight", "show") if entry.english not in ("town", "city"))
DURATIONS = (
    ("for two years", "depuis deux ans"),
    ("for ten years", "depuis dix ans"),
    ("for six months", "depuis six mois"),
    ("for three weeks", "depuis trois semaines"),
    ("for a long time", "depuis longtemps"),
    ("for four days", "depuis quatre jours"),
)
JOBS = ("doctor", "dentist", "teacher", "lawyer", "engineer", "journalist", "student", "cook", "driver")
PERSONS = (I, I, HE, SHE, WE, THEY)


def names(draw: Draw) -> Pair:
    """My name is Marie and I am English: anglaise, since the name tells it."""
    feminine = draw.chance(0.5)
    name = draw.one(WOMEN if feminine else MEN)
    nationality = draw.one(NATIONALITIES)
    adjective = nationality[2] if feminine else nationality[1]
    intro = f"my name is {name}", f"je m'appelle {name}"
    form = draw.below(5)
    if form == 0:
        return statement(f"{intro[0]} and I am {nationality[0]}", f"{intro[1]} et je suis {adjective}")
    if form == 1:
        state = draw.one((PERSONAL["delighted"], STATES["married"], STATES["single"]))
        if state.english == "delighted":
            return statement(
                f"{intro[0]}, I am delighted to meet you",
                f"{intro[1]}, je suis {state.form('f' if feminine else 'm', False)} de vous rencontrer",
            )
        return statement(
            f"{intro[0]} and I am {state.english}",
            f"{intro[1]} et je suis {state.form('f' if feminine else 'm', False)}",
        )
    age = draw.between(18, 85)
    if form == 2:
        return statement(
            f"{intro[0]} and I am {english_number(age)} years old", f"{intro[1]} et j'ai {french_number(age)} ans"
        )
    place = draw.one(CITIES)
    if form == 3:
        return statement(f"{intro[0]} and I live in {place[0]}", f"{intro[1]} et j'habite à {place[1]}")
    country = draw.one(COUNTRIES)
    return statement(f"{intro[0]} and I come from {country.english}", f"{intro[1]} et je viens {country.origin}")


def nationality(draw: Draw) -> Pair:
    """Write pairs like «My sister is Italian; they are English; is he Spanish?»."""
    subject = draw.one((*PERSONS, *ADULTS, *FRIENDS, relative("parents"), *NAMED[:6]))
    entry = draw.one(NATIONALITIES)
    french = entry[3] if subject.plural else entry[2] if subject.gender == "f" else entry[1]
    if draw.chance(0.25):
        return statement(
            f"{subject.english} {subject.be} not {entry[0]}",
            join_french(subject.french, "ne", ETRE[subject.person], "pas", french),
        )
    return statement(
        f"{subject.english} {subject.be} {entry[0]}", join_french(subject.french, ETRE[subject.person], french)
    )


def age(draw: Draw) -> Pair:
    """My son is nine years old: mon fils a neuf ans."""
    who = draw.one(
        (
            ("son", 1, 30),
            ("daughter", 1, 30),
            ("brother", 5, 60),
            ("sister", 5, 60),
            ("mother", 45, 90),
            ("father", 45, 90),
            ("grandmother", 65, 100),
            ("grandfather", 65, 100),
            ("husband", 25, 85),
            ("wife", 25, 85),
        )
    )
    subject = relative(who[0]) if draw.chance(0.75) else draw.one((I, HE, SHE))
    years = draw.between(who[1], who[2])
    return statement(
        f"{subject.english} {subject.be} {english_number(years)} year{'s' if years > 1 else ''} old",
        join_french(subject.french, AVOIR[subject.person], french_number(years), "an" + ("s" if years > 1 else "")),
    )


def family(draw: Draw) -> Pair:
    """I have two children: a boy and a girl. I have no brothers."""
    subject = draw.one((I, WE, HE, SHE, THEY, relative("sister"), relative("brother")))
    has = "has" if subject.third else "have"
    relation = noun(draw.one(("brother", "sister", "son", "daughter", "child", "aunt", "uncle")))
    form = draw.below(4)
    head = join_french(subject.french, AVOIR[subject.person])
    if form == 0:
        do = "does" if subject.third else "do"
        return statement(
            f"{subject.english} {do} not have any {relation.english_plural}",
            join_french(subject.french, "ne", AVOIR[subject.person], "pas de", relation.french_plural),
            (("template", "not have any", relation.english),),
        )
    count = draw.between(2, 4)
    first = noun_phrase(relation, "number", count=count) if draw.chance(0.6) else noun_phrase(relation, "a")
    if form in (1, 2):
        return statement(f"{subject.english} {has} {first.english}", f"{head} {first.french}", first.tags)
    pair = {
        "brother": "sister",
        "son": "daughter",
        "sister": "brother",
        "daughter": "son",
        "aunt": "uncle",
        "uncle": "aunt",
    }
    other = noun(pair.get(relation.english, "child"))
    if other.english == "child":
        return statement(
            f"{subject.english} {has} two children, a boy and a girl", f"{head} deux enfants, un garçon et une fille"
        )
    second = noun_phrase(other, "number", count=draw.between(2, 3)) if draw.chance(0.5) else noun_phrase(other, "a")
    return statement(
        f"{subject.english} {has} {first.english} and {second.english}",
        f"{head} {first.french} et {second.french}",
        first.tags + second.tags,
    )


def work(draw: Draw) -> Pair:
    """My father is a doctor: no article in French. I have been living in Lyon for two years."""
    subject = draw.one((I, HE, relative("brother"), relative("father"), relative("husband"), *NAMED[8:12]))
    job = noun(draw.one(JOBS))
    form = draw.below(4)
    if form == 0:
        return statement(
            f"{subject.english} {subject.be} {indefinite_article(job.english)} {job.english}",
            join_french(subject.french, ETRE[subject.person], job.french),
        )
    someone = draw.one((*PERSONS, relative("sister"), relative("parents"), relative("son"), relative("uncle")))
    place = draw.one(CITIES)
    country = draw.one(COUNTRIES)
    where = (f"in {place[0]}", f"à {place[1]}") if draw.chance(0.6) else (f"in {country.english}", country.to)
    verb = draw.one((("live", "habiter"), ("work", "travailler")))
    finite = french_verbs.present(verb[1], someone.person)
    if form == 1:
        english = english_verbs.third_person(verb[0]) if someone.third else verb[0]
        return statement(f"{someone.english} {english} {where[0]}", join_french(someone.french, finite, where[1]))
    duration = draw.one(DURATIONS)
    has = "has" if someone.third else "have"
    if form == 2:
        return statement(
            f"{someone.english} {has}_ been {english_verbs.present_participle(verb[0])} {where[0]} {duration[0]}",
            join_french(someone.french, finite, where[1], duration[1]),
        )
    language = draw.one(LANGUAGES)
    learn = french_verbs.present("apprendre", someone.person)
    return statement(
        f"{someone.english} {has}_ been learning {language[0]} {duration[0]}",
        join_french(someone.french, learn, definite(language[1], "m", False), duration[1]),
    )


def languages(draw: Draw) -> Pair:
    """Do you speak English? She speaks French very well. I only speak a little German."""
    subject = draw.one((*PERSONS, relative("wife"), relative("husband"), relative("son")))
    english, french = draw.one(LANGUAGES)
    form = draw.below(6)
    verb = "speaks" if subject.third else "speak"
    parler = french_verbs.present("parler", subject.person)
    if form == 0:
        asked = draw.one((YOU, HE, SHE, THEY))
        do = "does" if asked.third else "do"
        word = french_verbs.present("parler", asked.person)
        link = "-t-" if word.endswith("e") else "-"
        return question(f"{do} {asked.english} speak {english}", f"{word}{link}{asked.french} {french}")
    if form == 1:
        return statement(
            f"{subject.english} {'does' if subject.third else 'do'} not speak {english}",
            join_french(subject.french, "ne", parler, "pas", french),
        )
    if form == 2:
        degree = draw.one((("very well", "très bien"), ("well", "bien"), ("badly", "mal")))
        return statement(
            f"{subject.english} {verb} {english} {degree[0]}", join_french(subject.french, parler, degree[1], french)
        )
    if form == 3:
        return statement(
            f"{subject.english} {verb} a little {english}", join_french(subject.french, parler, "un peu", french)
        )
    if form == 4:
        there = draw.one(
            (
                ("at the hotel", "à l'hôtel"),
                ("at reception", "à la réception"),
                ("here", "ici"),
                ("in the shop", "dans le magasin"),
            )
        )
        return question(f"does anyone speak {english} {there[0]}", f"est-ce que quelqu'un parle {french} {there[1]}")
    verb_pair = draw.one((("understand", "comprendre"), ("learn", "apprendre")))
    word = french_verbs.present(verb_pair[1], subject.person)
    article = definite(french, "m", False)
    if verb_pair[0] == "learn":
        return statement(
            f"{subject.english} {subject.be} learning {english}", join_french(subject.french, word, article)
        )
    return statement(
        f"{subject.english} {'does' if subject.third else 'do'} not understand {english}",
        join_french(subject.french, "ne", word, "pas", article),
    )


def tastes(draw: Draw) -> Pair:
    """Write pairs like «I like cheese; my children do not like fish; do you like old castles?»."""
    entry = draw.one(LIKED)
    subject: Subject = draw.one((*PERSONS, relative("child", plural=True), relative("wife"), *NAMED[:4]))
    plural = entry.number == "count" and "drink" not in entry.classes and entry.english != "soup"
    english, bare, _ = noun_group(entry, plural, ())
    french = definite(bare, entry.gender, plural)
    tags = (("template", "like", entry.english),)
    third = subject.third
    form = draw.below(6)
    if form == 0:
        return question(f"do you like {english}", f"aimez-vous {french}", tags)
    if form == 1:
        return statement(
            f"{subject.english} {'does' if third else 'do'} not like {english}",
            join_french(subject.french, "ne", french_verbs.present("aimer", subject.person), "pas", french),
            tags,
        )
    if form == 2:
        other = draw.one(
            [one for one in nouns_of("liked") if one.classes & entry.classes - {"liked", "fresh"}] or [entry]
        )
        if other is not entry and "liked" in entry.classes:
            other_plural = other.number == "count" and "drink" not in other.classes and other.english != "soup"
            word, bare_other, _ = noun_group(other, other_plural, ())
            prefer = french_verbs.present("préférer", subject.person)
            return statement(
                f"{subject.english} prefer{'s' if third else ''} {english} to {word}",
                join_french(
                    subject.french,
                    prefer,
                    french,
                    with_preposition("à", definite(bare_other, other.gender, other_plural)),
                ),
                tags,
            )
    verb = draw.one(
        (("like", "aimer", ""), ("love", "adorer", ""), ("hate", "détester", ""), ("like", "aimer", "beaucoup"))
    )
    finite = english_verbs.third_person(verb[0]) if third else verb[0]
    tail = " very much" if verb[2] else ""
    return statement(
        f"{subject.english} {finite} {english}{tail}",
        join_french(subject.french, french_verbs.present(verb[1], subject.person), verb[2], french),
        tags,
    )


def experience(draw: Draw) -> Pair:
    """Have you ever been to Italy? I have never been to Japan. This is my first trip to France."""
    subject = draw.one((I, WE, HE, SHE, THEY, relative("wife"), relative("husband"), relative("parents")))
    country, city = draw.one(COUNTRIES), draw.one(CITIES)
    place = (country.english, country.to) if draw.chance(0.6) else (city[0], f"à {city[1]}")
    participle = french_verbs.participle("aller", subject.gender, subject.plural)
    has = "has" if subject.third else "have"
    form = draw.below(4)
    if form == 0:
        return question(f"have you ever been to {place[0]}", f"êtes-vous déjà allé {place[1]}")
    if form == 1:
        return statement(
            f"{subject.english} {has}_ never been to {place[0]}",
            join_french(subject.french, "ne", ETRE[subject.person], "jamais", participle, place[1]),
        )
    if form == 2:
        times = draw.one((("twice", "deux fois"), ("three times", "trois fois"), ("several times", "plusieurs fois")))
        return statement(
            f"{subject.english} {has}_ been to {place[0]} {times[0]}",
            join_french(subject.french, ETRE[subject.person], participle, times[1], place[1]),
        )
    return statement(f"this is my first trip to {place[0]}", f"c'est mon premier voyage {place[1]}")


def presenting(draw: Draw) -> Pair:
    """Present people: this is my wife; these are my children; this is my friend Marie, she is a nurse."""
    form = draw.below(3)
    if form == 0:
        friend = draw.one(FRIENDS)
        pronoun = "she" if friend.gender == "f" else "he"
        french = "elle" if friend.gender == "f" else "il"
        entry = draw.one(NATIONALITIES)
        place = draw.one(CITIES)
        clause = draw.one(
            (
                (f"{pronoun} is {entry[0]}", f"{french} est {entry[2] if friend.gender == 'f' else entry[1]}"),
                (f"{pronoun} lives in {place[0]}", f"{french} habite à {place[1]}"),
                (f"{pronoun} works in {place[0]}", f"{french} travaille à {place[1]}"),
            )
        )
        return statement(f"this is {friend.english}, {clause[0]}", f"voici {friend.french}, {clause[1]}")
    entry_noun = draw.one(nouns_of("family", "friend", "offspring"))
    plural = draw.chance(0.4) and entry_noun.english not in ("husband", "wife", "mother", "father")
    owner = draw.one((I, I, WE, HE, SHE))
    if owner is WE and entry_noun.english in ("husband", "wife"):
        owner = I
    phrase = noun_phrase(entry_noun, "my", plural, (), 0, owner.person, owner.owner_gender)
    if form == 1:
        return statement(f"{'these are' if plural else 'this is'} {phrase.english}", f"voici {phrase.french}")
    return question(f"do you know {phrase.english}", f"connaissez-vous {phrase.french}")


TEMPLATES = (
    (names, 2.5),
    (nationality, 1.5),
    (age, 3.0),
    (family, 1.5),
    (work, 3.0),
    (languages, 2.0),
    (tastes, 3.0),
    (experience, 2.0),
    (presenting, 1.2),
)
