"""At the hotel: rooms, nights, faults, keys and breakfast."""

from tools.phrasebook.calendar import english_clock, french_clock
from tools.phrasebook.clauses import around
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import ATTRIBUTIVE
from tools.phrasebook.lexicon.nouns import noun, nouns_of
from tools.phrasebook.lexicon.people import SURNAMES
from tools.phrasebook.noun_phrases import noun_phrase
from tools.phrasebook.numerals import english_number, english_ordinal, french_number, french_ordinal
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, courteous, question, statement
from tools.phrasebook.templates.directions import be

ROOMS = (
    ("a single room", "une chambre simple"),
    ("a double room", "une chambre double"),
    ("a quiet room", "une chambre calme"),
    ("a big room", "une grande chambre"),
    ("a small room", "une petite chambre"),
    ("a cheap room", "une chambre bon marché"),
    ("a room", "une chambre"),
    ("two double rooms", "deux chambres doubles"),
    ("two single rooms", "deux chambres simples"),
    ("three rooms", "trois chambres"),
)
EXTRAS = (
    ("with a bathroom", "avec salle de bains"),
    ("with a shower", "avec douche"),
    ("with a view of the sea", "avec vue sur la mer"),
    ("with two beds", "avec deux lits"),
    ("with breakfast", "avec le petit déjeuner"),
    ("on the first floor", "au premier étage"),
    ("for two people", "pour deux personnes"),
    ("for a family", "pour une famille"),
)
DEVICES = nouns_of("device")
SUPPLIES = nouns_of("supply", "roomsupply", "flowing")


def stay(count: int) -> tuple[str, str]:
    """Say for how long: for three nights, pour trois nuits."""
    if count == 7:
        return "a week", "une semaine"
    plural = "s" if count > 1 else ""
    return f"{english_number(count)} night{plural}", f"{french_number(count, 'f')} nuit{plural}"


def want_room(draw: Draw) -> Pair:
    """I would like a double room with a shower for three nights."""
    start = draw.one(
        (
            ("I would like", "je voudrais"),
            ("we would like", "nous voudrions"),
            ("do you have", "avez-vous"),
            ("I would like to book", "je voudrais réserver"),
            ("I have_ booked", "j'ai réservé"),
            ("we have_ booked", "nous avons réservé"),
            ("is there", "y a-t-il"),
        )
    )
    room = draw.one(ROOMS)
    if start[0] == "is there" and room[0].startswith(("two", "three")):
        room = ROOMS[0]
    english, french = f"{start[0]} {room[0]}", f"{start[1]} {room[1]}"
    crowded = "single" in room[0] or "small" in room[0] or "rooms" in room[0]
    if draw.chance(0.6):
        extra = draw.one(EXTRAS[:3] if crowded else EXTRAS)
        english, french = f"{english} {extra[0]}", f"{french} {extra[1]}"
    if start[0] == "is there":
        return courteous(draw, f"{english} for tonight", f"{french} pour ce soir", "?", (), 0.1)
    if " for " not in english and draw.chance(0.7):
        time = stay(draw.between(1, 10))
        english, french = f"{english} for {time[0]}", f"{french} pour {time[1]}"
    please = 0.0 if "booked" in english else 0.4
    return courteous(draw, english, french, "?" if start[0].startswith("do") else ".", (), please)


def booking_name(draw: Draw) -> Pair:
    """I have a reservation in the name of Martin."""
    name = draw.one(SURNAMES)
    start = draw.one(
        (
            ("I have a reservation", "j'ai une réservation"),
            ("we have a reservation", "nous avons une réservation"),
            ("I have_ booked a room", "j'ai réservé une chambre"),
            ("we have_ booked two rooms", "nous avons réservé deux chambres"),
            ("I have_ booked a table", "j'ai réservé une table"),
            ("the reservation is", "la réservation est"),
        )
    )
    return courteous(draw, f"{start[0]} in the name of {name}", f"{start[1]} au nom de {name}", ".", (), 0)


def not_working(draw: Draw) -> Pair:
    """The shower does not work."""
    entry = draw.one(DEVICES)
    phrase = noun_phrase(entry, draw.one(("the", "the", "the", "this")))
    where = draw.one((("", ""), ("", ""), ("in my room", "de ma chambre"), ("in our room", "de notre chambre")))
    if entry.classes & {"owned"} or entry.english == "lift" or phrase.english.startswith("this"):
        where = ("", "")
    tags = (("template", "does not work", entry.english),)
    form = draw.below(5)
    if form == 0:
        return question(f"could you repair {phrase.english}".strip(), f"pourriez-vous réparer {phrase.french}", tags)
    if form == 1:
        opening = draw.one((("I am sorry, but", "je suis désolé, mais"), ("I think that", "je pense que")))
        return statement(
            f"{opening[0]} {phrase.english} does not work", f"{opening[1]} {phrase.french} ne marche pas", tags
        )
    negation = draw.one((("does not work", "pas"), ("does not work", "pas"), ("no longer works", "plus")))
    return statement(
        f"{phrase.english} {where[0]} {negation[0]}".replace("  ", " "),
        join_french(phrase.french, where[1], around("marche", negation[1])),
        tags,
    )


def no_supply(draw: Draw) -> Pair:
    """Write pairs like «There are no towels in the bathroom; could we have another blanket?»."""
    entry = draw.one(SUPPLIES)
    where = draw.one(
        (
            ("in the room", "dans la chambre"),
            ("in the bathroom", "dans la salle de bains"),
            ("in our room", "dans notre chambre"),
        )
    )
    if entry.english in ("blanket", "pillow"):
        where = ("in the room", "dans la chambre")
    tags = (("template", "there is no", entry.english),)
    plural = entry.number == "count"
    form = draw.below(3)
    if form == 0 and plural:
        start = draw.one(
            (("could I have", "est-ce que je pourrais avoir"), ("could we have", "est-ce que nous pourrions avoir"))
        )
        other = "une autre" if entry.gender == "f" else "un autre"
        return courteous(
            draw, f"{start[0]} another {entry.english}", f"{start[1]} {other} {entry.french}", "?", (), 0.7
        )
    negation = draw.one((("no", "pas"), ("no", "pas"), ("no more", "plus"), ("not enough", "pas assez")))
    english_noun = entry.english_plural if plural else entry.english
    french_noun = entry.french_plural if plural else entry.french
    verb = "there are" if plural else "there is"
    return statement(
        f"{verb} {negation[0]} {english_noun} {where[0]}",
        join_french("il n'y a", negation[1], "de", french_noun, where[1]),
        tags,
    )


def room_number(draw: Draw) -> Pair:
    """Write pairs like «Can I have the key to room two hundred and fourteen?»."""
    number = draw.between(1, 4) * 100 + draw.between(1, 30)
    spelt = english_number(number), french_number(number)
    form = draw.below(4)
    if form == 0:
        return courteous(
            draw,
            f"can I have the key to room {spelt[0]}",
            f"est-ce que je peux avoir la clé de la chambre {spelt[1]}",
            "?",
            (),
            0.7,
        )
    if form == 1:
        return statement(f"you have room {spelt[0]}", f"vous avez la chambre {spelt[1]}")
    if form == 2:
        return statement(f"I am in room {spelt[0]}", f"je suis dans la chambre {spelt[1]}")
    floor = number // 100
    return statement(
        f"room {spelt[0]} is on the {english_ordinal(floor)} floor",
        f"la chambre {spelt[1]} est au {french_ordinal(floor)} étage",
    )


def services(draw: Draw) -> Pair:
    """Could you wake me at seven? Breakfast is served from seven to ten."""
    hour, minute = draw.between(5, 9), draw.one((0, 15, 30, 45))
    english_time, french_time = english_clock(hour, minute), french_clock(hour, minute)
    form = draw.below(5)
    if form == 0:
        start = draw.one(
            (("could you wake me", "pourriez-vous me réveiller"), ("can you wake us", "pouvez-vous nous réveiller"))
        )
        return courteous(draw, f"{start[0]} at {english_time}", f"{start[1]} à {french_time}", "?", (), 0.5)
    meal = draw.one(
        (("breakfast", "le petit déjeuner", 7, 10), ("dinner", "le dîner", 19, 22), ("lunch", "le déjeuner", 12, 14))
    )
    if form == 1:
        start_hour, half = meal[2], draw.one((0, 30))
        return statement(
            f"{meal[0]} is served from {english_clock(start_hour, half)} to {english_clock(meal[3], 0)}",
            f"{meal[1]} est servi de {french_clock(start_hour, half)} à {french_clock(meal[3], 0)}",
        )
    if form == 2:
        return courteous(draw, f"what time is {meal[0]} served", f"à quelle heure est servi {meal[1]}", "?", (), 0)
    if form == 3:
        place = draw.one((("reception", "la réception"), ("the hotel", "l'hôtel"), ("the station", "la gare")))
        return courteous(
            draw,
            f"can we leave our luggage at {place[0]}",
            f"est-ce que nous pouvons laisser nos bagages {join_french('à', place[1])}",
            "?",
            (),
            0.2,
        )
    entry = draw.one((*nouns_of("lodging"), noun("guided tour"), noun("trip"), noun("ticket")))
    if entry.english == "house":
        return question(f"is {meal[0]} included in the price", f"est-ce que {meal[1]} est compris dans le prix")
    english, french = noun_phrase(entry, "the").english, noun_phrase(entry, "the").after("de")
    return question(
        f"is {meal[0]} included in the price of {english}", f"est-ce que {meal[1]} est compris dans le prix {french}"
    )


def room_opinion(draw: Draw) -> Pair:
    """The room is too noisy; the bed was very comfortable."""
    entries = {
        "room": "noisy small dirty quiet clean comfortable expensive big",
        "bed": "small comfortable",
        "bathroom": "dirty clean small",
        "hotel": "noisy quiet comfortable expensive modern clean",
        "flat": "noisy quiet comfortable small big clean",
        "campsite": "noisy quiet clean dirty big",
        "towel": "dirty",
        "toilets": "dirty clean",
    }
    word_noun = draw.one(tuple(entries))
    word = draw.one(entries[word_noun].split())
    phrase = noun_phrase(noun(word_noun), draw.one(("the", "the", "my")) if word_noun in ("room", "bed") else "the")
    form = ATTRIBUTIVE[word].form(phrase.gender, phrase.plural)
    degrees = [("very", "très")]
    if word in ("noisy", "small", "expensive", "big"):
        degrees += [("too", "trop"), ("much too", "beaucoup trop")]
    past = draw.chance(0.5)
    negation = word in ("quiet", "clean", "comfortable", "modern", "big") and draw.chance(0.4)
    degree = draw.one(degrees)
    english_be, french_be = be(phrase)
    if past:
        english_be = "were" if phrase.english_plural else "was"
        french_be = "étaient" if phrase.plural else "était"
    return statement(
        f"{phrase.english} {english_be} {'not ' if negation else ''}{degree[0]} {word}",
        join_french(phrase.french, around(french_be, "pas" if negation else ""), degree[1], form),
        (("adjective", word, word_noun),),
    )


TEMPLATES = (
    (want_room, 4.0),
    (booking_name, 1.0),
    (not_working, 2.0),
    (no_supply, 1.5),
    (room_number, 2.0),
    (services, 2.0),
    (room_opinion, 2.0),
)
