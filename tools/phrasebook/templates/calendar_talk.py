"""Time, dates and weather."""

from tools.phrasebook.calendar import DAYS, MONTHS, SEASONS, english_clock, english_date, french_clock, french_date
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.nouns import noun, nouns_of
from tools.phrasebook.lexicon.places import CITIES, COUNTRIES
from tools.phrasebook.noun_phrases import noun_phrase
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, question, statement

# English, French with present, past and going-to forms.
WEATHER = (
    ("it is cold", "il fait froid", "it was cold", "il faisait froid", "it is going to be cold", "il va faire froid"),
    ("it is hot", "il fait chaud", "it was hot", "il faisait chaud", "it is going to be hot", "il va faire chaud"),
    (
        "it is very cold",
        "il fait très froid",
        "it was very cold",
        "il faisait très froid",
        "it is going to be very cold",
        "il va faire très froid",
    ),
    (
        "it is too hot",
        "il fait trop chaud",
        "it was too hot",
        "il faisait trop chaud",
        "it is going to be too hot",
        "il va faire trop chaud",
    ),
    (
        "the weather is nice",
        "il fait beau",
        "the weather was nice",
        "il faisait beau",
        "the weather is going to be nice",
        "il va faire beau",
    ),
    (
        "the weather is bad",
        "il fait mauvais",
        "the weather was bad",
        "il faisait mauvais",
        "the weather is going to be bad",
        "il va faire mauvais",
    ),
    (
        "it is windy",
        "il y a du vent",
        "it was windy",
        "il y avait du vent",
        "it is going to be windy",
        "il va y avoir du vent",
    ),
    (
        "it is sunny",
        "il y a du soleil",
        "it was sunny",
        "il y avait du soleil",
        "it is going to be sunny",
        "il va y avoir du soleil",
    ),
    ("it is raining", "il pleut", "it was raining", "il pleuvait", "it is going to rain", "il va pleuvoir"),
    ("it is snowing", "il neige", "it was snowing", "il neigeait", "it is going to snow", "il va neiger"),
)
RAINY = ("it is raining", "it is snowing")


def clock(draw: Draw) -> Pair:
    """It is a quarter past three."""
    hour, minute = draw.between(0, 23), draw.one((0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55))
    if hour == 0:
        minute = 0
    spelt = english_clock(hour, minute), french_clock(hour, minute)
    start = draw.one(
        (
            ("it is", "il est"),
            ("it is already", "il est déjà"),
            ("it is almost", "il est presque"),
            ("I have to leave at", "je dois partir à"),
            ("we have to be there at", "nous devons être là à"),
            ("I will be back at", "je reviens à"),
            ("let's meet at", "retrouvons-nous à"),
        )
    )
    if draw.chance(0.25) and hour not in (0, 12) and minute == 0:
        part = ("in the morning", "du matin") if hour < 12 else ("in the afternoon", "de l'après-midi")
        if hour >= 18:
            part = ("in the evening", "du soir")
        spelt = f"{spelt[0]} {part[0]}", f"{spelt[1]} {part[1]}"
    return statement(f"{start[0]} {spelt[0]}", f"{start[1]} {spelt[1]}")


def date(draw: Draw) -> Pair:
    """The concert is on Monday the third of May: lundi trois mai, but le premier mai."""
    month, day = draw.between(1, 12), draw.between(1, 30)
    if month == 2 and day > 28:
        day = 28
    weekday = draw.one(DAYS)
    form = draw.below(6)
    english, french = english_date(day, month), french_date(day, month)
    entry = draw.one(nouns_of("event"))
    phrase = noun_phrase(entry, "the")
    if form == 0:
        return statement(f"today is {english}", f"nous sommes le {french}")
    if form == 1:
        return statement(f"{phrase.english} is on {english}", f"{phrase.french} a lieu le {french}")
    if form == 2:
        return statement(f"we are leaving on {english}", f"nous partons le {french}")
    if form == 3:
        return statement(f"my birthday is on {english}", f"mon anniversaire est le {french}")
    hour, minute = draw.between(9, 21), draw.one((0, 0, 15, 30, 45))
    if form == 4:
        return statement(
            f"{phrase.english} is on {weekday[0]} at {english_clock(hour, minute)}",
            f"{phrase.french} a lieu {weekday[1]} à {french_clock(hour, minute)}",
        )
    return statement(f"I arrived on {english}", f"je suis arrivé le {french}")


def event_time(draw: Draw) -> Pair:
    """What time does the concert start? The film starts at eight."""
    entry = draw.one(nouns_of("show", "event"))
    phrase = noun_phrase(entry, draw.one(("the", "the", "this")))
    verb = draw.one((("start", "commence"), ("finish", "finit")))
    tags = (("template", "event time", entry.english),)
    form = draw.below(3)
    if form == 0:
        return question(f"what time does {phrase.english} {verb[0]}", f"à quelle heure {verb[1]} {phrase.french}", tags)
    hour, minute = draw.between(14, 22), draw.one((0, 15, 30, 45))
    if form == 1:
        ending = "es" if verb[0] == "finish" else "s"
        return statement(
            f"{phrase.english} {verb[0]}{ending} at {english_clock(hour, minute)}",
            f"{phrase.french} {verb[1]} à {french_clock(hour, minute)}",
            tags,
        )
    participle = "commencé" if verb[0] == "start" else "fini"
    state = draw.one((("already", "déjà", ""), ("not", "pas encore", "yet")))
    past = "started" if verb[0] == "start" else "finished"
    return statement(
        f"{phrase.english} has_ {state[0]} {past} {state[2]}".strip(),
        join_french(phrase.french, "ne" if state[2] else "", "a", state[1], participle),
        tags,
    )


def weather(draw: Draw) -> Pair:
    """It is cold in Paris in January; it is going to rain tomorrow."""
    present_english, present_french, past_english, past_french, future_english, future_french = draw.one(WEATHER)
    form = draw.below(5)
    if form == 0:
        country, city = draw.one(COUNTRIES), draw.one(CITIES)
        place = (f"in {city[0]}", f"à {city[1]}") if draw.chance(0.6) else (f"in {country.english}", country.to)
        month = draw.one(MONTHS)
        time = draw.one(((f"in {month[0]}", f"en {month[1]}"), ("today", "aujourd'hui"), draw.one(SEASONS)))
        if present_english in RAINY and time[0] != "today":
            present_english, present_french = {
                "it is raining": ("it often rains", "il pleut souvent"),
                "it is snowing": ("it often snows", "il neige souvent"),
            }[present_english]
        return statement(f"{present_english} {place[0]} {time[0]}", f"{present_french} {place[1]} {time[1]}")
    if form == 1:
        time = draw.one((("yesterday", "hier"), ("last week", "la semaine dernière"), ("on Sunday", "dimanche")))
        place = draw.one((("", ""), ("at the beach", "à la plage"), *((f"in {a}", f"à {b}") for a, b in CITIES[:13])))
        return statement(
            " ".join(f"{past_english} {place[0]} {time[0]}".split()), join_french(past_french, place[1], time[1])
        )
    if form == 2:
        time = draw.one(
            (
                ("tomorrow", "demain"),
                ("this evening", "ce soir"),
                ("this afternoon", "cet après-midi"),
                ("on Saturday", "samedi"),
            )
        )
        opening = draw.one((("", ""), ("I think that ", "je pense que "), ("I hope that ", "j'espère que ")))
        if opening[0] == "I hope that " and "bad" in future_english + "bad" * (
            "too" in future_english or "rain" in future_english
        ):
            opening = ("", "")
        clause = join_french(opening[1], future_french, time[1])
        return statement(f"{opening[0]}{future_english} {time[0]}", clause)
    today = draw.one((("today", "aujourd'hui"), ("here", "ici"), ("this morning", "ce matin"), ("outside", "dehors")))
    if form == 3 and present_english not in ("the weather is bad",):
        return statement(f"{present_english} {today[0]}", f"{present_french} {today[1]}")
    item = draw.one((("umbrella", RAINY), ("coat", ("it is cold", "it is very cold", "it is snowing", "it is windy"))))
    if present_english not in item[1]:
        return statement(f"{present_english} {today[0]}", f"{present_french} {today[1]}")
    owned = noun_phrase(noun(item[0]), "my", owner=4)
    start = draw.one((("take", "prenez"), ("do not forget", "n'oubliez pas"), ("put on", "mettez")))
    if start[0] == "put on" and item[0] == "umbrella":
        start = ("take", "prenez")
    return statement(f"{start[0]} {owned.english}, {present_english}", f"{start[1]} {owned.french}, {present_french}")


TEMPLATES = (
    (clock, 2.5),
    (date, 2.0),
    (event_time, 1.5),
    (weather, 2.5),
)
