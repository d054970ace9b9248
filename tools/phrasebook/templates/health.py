"""Health and emergencies: pains, medicines, allergies, accidents, losses and thefts."""

from tools.phrasebook.calendar import DAYS, english_clock, french_clock
from tools.phrasebook.clauses import Subject
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import PERSONAL
from tools.phrasebook.lexicon.nouns import noun, nouns_of
from tools.phrasebook.lexicon.people import CHILDREN, HE, SHE, WE, I, named, relative
from tools.phrasebook.noun_choices import described
from tools.phrasebook.noun_phrases import noun_phrase
from tools.phrasebook.numerals import english_number, french_number
from tools.phrasebook.orthography import join_french, with_preposition
from tools.phrasebook.sentences import Pair, statement

PATIENTS: tuple[Subject, ...] = (
    I,
    I,
    HE,
    SHE,
    *CHILDREN,
    relative("husband"),
    relative("wife"),
    relative("mother"),
    relative("father"),
    named("Paul"),
    named("Alice"),
)
SINCE = (
    ("since yesterday", "depuis hier"),
    ("since this morning", "depuis ce matin"),
    ("since Monday", "depuis lundi"),
    ("for two days", "depuis deux jours"),
    ("for a week", "depuis une semaine"),
    ("for three hours", "depuis trois heures"),
)
ACHES = nouns_of("ache")
ALLERGENS = (
    ("milk", "le lait"),
    ("eggs", "les œufs"),
    ("nuts", "les noix"),
    ("fish", "le poisson"),
    ("honey", "le miel"),
    ("strawberries", "les fraises"),
    ("chocolate", "le chocolat"),
    ("tomatoes", "les tomates"),
    ("mushrooms", "les champignons"),
    ("penicillin", "la pénicilline"),
    ("aspirin", "l'aspirine"),
)
AVOIR = {0: "ai", 2: "a", 3: "avons", 4: "avez", 5: "ont"}
ETRE = {0: "suis", 2: "est", 3: "sommes", 4: "êtes", 5: "sont"}


def has(subject: Subject) -> str:
    """Return have or has."""
    return "has" if subject.third else "have"


def owner(subject: Subject) -> str:
    """Return the English possessive of a subject."""
    if subject.third:
        return "her" if subject.owner_gender == "f" else "his"
    return "my"


def ache(draw: Draw) -> Pair:
    """My back hurts: j'ai mal au dos. She has had a headache since yesterday."""
    subject = draw.one(PATIENTS)
    avoir = join_french(subject.french, AVOIR[subject.person])
    entry = draw.one(ACHES)
    since = draw.one(SINCE)
    if draw.chance(0.5) and entry.english not in ("head", "stomach"):
        plural = entry.english in ("foot", "ear", "leg") and draw.chance(0.7)
        phrase = noun_phrase(entry, "the", plural)
        noun_english = entry.english_plural if plural else entry.english
        verb = "hurt" if plural else "hurts"
        if subject.pronoun:
            return statement(f"{owner(subject)} {noun_english} {verb}", f"{avoir} mal {phrase.after('à')}")
        return statement(
            f"{subject.english} has a pain in {owner(subject)} {noun_english}", f"{avoir} mal {phrase.after('à')}"
        )
    illness = draw.one(
        (
            ("a headache", "mal à la tête"),
            ("a toothache", "mal aux dents"),
            ("a stomach ache", "mal au ventre"),
            ("a sore throat", "mal à la gorge"),
            ("a temperature", "de la fièvre"),
            ("a cold", "un rhume"),
            ("the flu", "la grippe"),
        )
    )
    if draw.chance(0.5):
        return statement(f"{subject.english} {has(subject)} {illness[0]}", f"{avoir} {illness[1]}")
    return statement(
        f"{subject.english} {has(subject)}_ had {illness[0]} {since[0]}", f"{avoir} {illness[1]} {since[1]}"
    )


def feeling(draw: Draw) -> Pair:
    """My daughter is ill; she is not hungry; he has been tired for two days."""
    subject = draw.one(
        (*PATIENTS, WE, relative("child", plural=True), relative("parents"), relative("sister", plural=True))
    )
    since = draw.one(SINCE)
    if draw.chance(0.45):
        state = draw.one(
            (
                ("hungry", "faim"),
                ("thirsty", "soif"),
                ("cold", "froid"),
                ("hot", "chaud"),
                ("afraid", "peur"),
                ("sleepy", "sommeil"),
            )
        )
        avoir = AVOIR[subject.person]
        negation = draw.chance(0.3)
        if negation:
            return statement(
                f"{subject.english} {subject.be} not {state[0]}",
                join_french(subject.french, "ne", avoir, "pas", state[1]),
            )
        degree = draw.one((("", ""), ("very", "très")))
        return statement(
            " ".join(f"{subject.english} {subject.be} {degree[0]} {state[0]}".split()),
            join_french(subject.french, avoir, degree[1], state[1]),
        )
    adjective = draw.one(
        tuple(PERSONAL[word] for word in ["tired", "ill", "worried", "sad", "happy", "ready", "busy", "lost", "alone"])
    )
    form = adjective.form(subject.gender, subject.plural)
    be = ETRE[subject.person]
    tags = (("predicate", adjective.english, subject.english),)
    choice = draw.below(4)
    if choice == 0 and adjective.english in ("tired", "ill", "worried", "sad"):
        return statement(
            f"{subject.english} {has(subject)}_ been {adjective.english} {since[0]}",
            join_french(subject.french, be, form, since[1]),
            tags,
        )
    if choice == 1 and adjective.english not in ("alone", "lost"):
        degree = draw.one((("very", "très"), ("a little", "un peu"), ("too", "trop")))
        if degree[0] == "too" and adjective.english not in ("tired", "busy"):
            degree = ("very", "très")
        if adjective.english in ("ready", "happy") and degree[0] != "very":
            degree = ("", "")
        if adjective.english == "ready":
            degree = ("", "")
        return statement(
            " ".join(f"{subject.english} {subject.be} {degree[0]} {adjective.english}".split()),
            join_french(subject.french, be, degree[1], form),
            tags,
        )
    if choice == 2:
        return statement(
            f"{subject.english} {subject.be} not {adjective.english}",
            join_french(subject.french, "ne", be, "pas", form),
            tags,
        )
    return statement(f"{subject.english} {subject.be} {adjective.english}", join_french(subject.french, be, form), tags)


def allergy(draw: Draw) -> Pair:
    """I am allergic to eggs: je suis allergique aux œufs."""
    subject = draw.one((*PATIENTS, relative("sister"), relative("brother")))
    english, french = draw.one(ALLERGENS)
    return statement(
        f"{subject.english} {subject.be} allergic to {english}",
        join_french(subject.french, ETRE[subject.person], "allergique", with_preposition("à", french)),
    )


def injury(draw: Draw) -> Pair:
    """She has broken her arm: elle s'est cassé le bras, without agreement since the object follows."""
    subject = draw.one(PATIENTS)
    verb = draw.one(
        (("broken", "cassé"), ("cut", "coupé"), ("burnt", "brûlé"), ("hurt", "blessé"), ("twisted", "tordu"))
    )
    nouns = {
        "broken": ("arm", "leg", "finger", "ankle"),
        "cut": ("finger", "hand", "foot"),
        "burnt": ("hand", "finger", "arm"),
        "hurt": ("knee", "foot", "hand", "shoulder", "leg"),
        "twisted": ("ankle", "knee"),
    }[verb[0]]
    entry = noun(draw.one(nouns))
    phrase = noun_phrase(entry, "the")
    reflexive = "me" if subject.person == 0 else "se"
    participle = verb[1]
    place = phrase.french
    if verb[0] == "hurt":
        # Blessé à la main: the pronoun itself is the direct object, so the participle agrees.
        participle += "e" if subject.gender == "f" else ""
        place = phrase.after("à")
    return statement(
        f"{subject.english} {has(subject)}_ {verb[0]} {owner(subject)} {entry.english}",
        join_french(subject.french, reflexive, ETRE[subject.person], participle, place),
    )


def medicine(draw: Draw) -> Pair:
    """Take this medicine three times a day before meals."""
    times = draw.between(1, 4)
    often = {1: ("once a day", "une fois par jour"), 2: ("twice a day", "deux fois par jour")}.get(
        times, (f"{english_number(times)} times a day", f"{french_number(times)} fois par jour")
    )
    what = draw.one(
        (
            ("this medicine", "ce médicament"),
            ("one tablet", "un comprimé"),
            ("two tablets", "deux comprimés"),
            ("these tablets", "ces comprimés"),
        )
    )
    when = draw.one(
        (
            ("", ""),
            ("before meals", "avant les repas"),
            ("after meals", "après les repas"),
            ("with some water", "avec de l'eau"),
            ("for five days", "pendant cinq jours"),
            ("for a week", "pendant une semaine"),
        )
    )
    start = draw.one(
        (
            ("take", "prenez"),
            ("you must take", "vous devez prendre"),
            ("do I have to take", "est-ce que je dois prendre"),
        )
    )
    return statement(
        f"{start[0]} {what[0]} {often[0]} {when[0]}".strip(),
        f"{start[1]} {what[1]} {often[1]} {when[1]}".strip(),
        (),
        "?" if start[0].startswith("do") else ".",
    )


def remedy(draw: Draw) -> Pair:
    """Do you have anything for a headache? I need a doctor."""
    form = draw.below(3)
    illness = draw.one(
        (
            ("a headache", "le mal de tête"),
            ("a sore throat", "le mal de gorge"),
            ("a cold", "le rhume"),
            ("a toothache", "le mal de dents"),
            ("a cough", "la toux"),
            ("the flu", "la grippe"),
        )
    )
    if form == 0:
        return statement(
            f"do you have something for {illness[0]}", f"avez-vous quelque chose contre {illness[1]}", (), "?"
        )
    if form == 1:
        start = draw.one(
            (
                ("I would like something", "je voudrais quelque chose"),
                ("I need something", "j'ai besoin de quelque chose"),
            )
        )
        return statement(f"{start[0]} for {illness[0]}, please", f"{start[1]} contre {illness[1]}, s'il vous plaît")
    who = draw.one(PATIENTS)
    need = draw.one(
        (
            ("a doctor", "d'un médecin"),
            ("a dentist", "d'un dentiste"),
            ("an ambulance", "d'une ambulance"),
            ("help", "d'aide"),
            ("a nurse", "d'une infirmière"),
        )
    )
    verb = "needs" if who.third else "need"
    return statement(f"{who.english} {verb} {need[0]}", join_french(who.french, AVOIR[who.person], "besoin", need[1]))


def appointment(draw: Draw) -> Pair:
    """I have an appointment with the doctor on Tuesday at ten."""
    day = draw.one(DAYS)
    hour, minute = draw.between(8, 18), draw.one((0, 15, 30, 45))
    where = draw.one((("with the doctor", "chez le médecin"), ("with the dentist", "chez le dentiste")))
    when = draw.one(
        (
            (f"on {day[0]} at {english_clock(hour, minute)}", f"{day[1]} à {french_clock(hour, minute)}"),
            (f"on {day[0]} morning", f"{day[1]} matin"),
            (f"tomorrow at {english_clock(hour, minute)}", f"demain à {french_clock(hour, minute)}"),
        )
    )
    start = draw.one(
        (
            ("I have an appointment", "j'ai rendez-vous"),
            ("my wife has an appointment", "ma femme a rendez-vous"),
            ("my son has an appointment", "mon fils a rendez-vous"),
            ("I would like an appointment", "je voudrais un rendez-vous"),
        )
    )
    return statement(f"{start[0]} {where[0]} {when[0]}", f"{start[1]} {where[1]} {when[1]}")


def theft(draw: Draw) -> Pair:
    """Someone has stolen my wallet: on m'a volé mon portefeuille."""
    owners = draw.one((("my", "me", I), ("our", "nous", WE), ("his", "lui", HE), ("her", "lui", SHE)))
    entry = draw.one(nouns_of("losable"))
    phrase = described(draw, entry, "my", False, 0.3, frozenset(("cheap", "dirty", "boring")), subject=owners[2])
    where = draw.one(
        (
            ("", ""),
            ("at the station", "à la gare"),
            ("on the bus", "dans le bus"),
            ("at the market", "au marché"),
            ("on the beach", "sur la plage"),
            ("in the underground", "dans le métro"),
            ("yesterday", "hier"),
        )
    )
    english = "someone has stolen" if where[0] != "yesterday" else "someone stole"
    return statement(
        f"{english} {phrase.english} {where[0]}".strip(),
        join_french("on", owners[1], "a volé", phrase.french, where[1]),
        phrase.tags,
    )


TEMPLATES = (
    (ache, 2.0),
    (feeling, 2.5),
    (allergy, 0.8),
    (injury, 1.0),
    (medicine, 1.0),
    (remedy, 0.8),
    (appointment, 1.2),
    (theft, 1.2),
)
