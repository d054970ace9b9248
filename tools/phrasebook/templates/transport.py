"""Trains, buses and planes: tickets, departures, delays, journeys between cities."""

from tools.phrasebook.calendar import DAYS, english_clock, french_clock
from tools.phrasebook.clauses import around
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.nouns import noun, nouns_of
from tools.phrasebook.lexicon.people import HE, SHE, THEY, WE, YOU, I
from tools.phrasebook.lexicon.places import CITIES, COUNTRIES, FRENCH_CITIES, OVERSEAS, cities_of
from tools.phrasebook.noun_phrases import noun_phrase
from tools.phrasebook.numerals import english_number, french_number
from tools.phrasebook.orthography import join_english, join_french
from tools.phrasebook.sentences import Pair, courteous, question, statement
from tools.phrasebook.templates.shopping import wished

# English, French, gender, and what it leaves from.
LINES = (
    ("train", "train", "platform", "quai"),
    ("train", "train", "platform", "quai"),
    ("bus", "bus", "stop", "arrêt"),
    ("plane", "avion", "gate", "porte"),
    ("boat", "bateau", "quay", "quai"),
)
MEANS = (
    ("by train", "en train"),
    ("by bus", "en bus"),
    ("by car", "en voiture"),
    ("by plane", "en avion"),
    ("by boat", "en bateau"),
    ("by bicycle", "à vélo"),
    ("on foot", "à pied"),
    ("by taxi", "en taxi"),
)
TICKETS = (
    ("ticket{s}", "billet{s}"),
    ("return ticket{s}", "billet{s} aller-retour"),
    ("single ticket{s}", "billet{s} aller simple"),
    ("first-class ticket{s}", "billet{s} de première classe"),
    ("second-class ticket{s}", "billet{s} de deuxième classe"),
)
ORDERS = (("next", "prochain"), ("first", "premier"), ("last", "dernier"))


def buy_tickets(draw: Draw) -> Pair:
    """I would like two return tickets to Lyon, please."""
    count = draw.between(1, 6)
    english, french = draw.one(TICKETS)
    plural = "s" if count > 1 else ""
    city = draw.one(CITIES)
    amount = ("a", "un") if count == 1 else (english_number(count), french_number(count))
    body = f"{amount[0]} {english.format(s=plural)}", f"{amount[1]} {french.format(s=plural)}"
    if draw.chance(0.85):
        body = f"{body[0]} to {city[0]}", f"{body[1]} pour {city[1]}"
    tags = (("number", english_number(count), "ticket"),) if count > 1 else ()
    if draw.chance(0.2):
        return statement(f"{body[0]}, please", f"{body[1]}, s'il vous plaît", tags)
    return wished(draw, *body, tags)


def departure(draw: Draw) -> Pair:
    """What time does the next train to Lyon leave? The train leaves at noon from platform three."""
    line = draw.one(LINES)
    city = draw.one(cities_of(line[0]))
    order = draw.one((*ORDERS, ("", "")))
    english = " ".join(f"the {order[0]} {line[0]} to {city[0]}".split())
    french = join_french("le", order[1], line[1], f"pour {city[1]}")
    english_verb, french_verb = "leave", "part"
    form = draw.below(5)
    if form == 0:
        return courteous(
            draw, f"what time does {english} {english_verb}", f"à quelle heure {french_verb} {french}", "?", (), 0.2
        )
    if form == 1:
        return courteous(draw, f"when does {english} {english_verb}", f"quand {french_verb} {french}", "?", (), 0)
    hour, minute = draw.between(6, 22), draw.one((0, 5, 10, 15, 20, 30, 40, 45, 50))
    when = f"at {english_clock(hour, minute)}", f"à {french_clock(hour, minute)}"
    if form == 2:
        count = draw.one((5, 10, 15, 20))
        when = f"in {english_number(count)} minutes", f"dans {french_number(count)} minutes"
    if form == 3 and line[0] != "boat":
        platform = draw.between(1, 12)
        french_stop = {"platform": "du quai numéro", "stop": "de l'arrêt numéro", "gate": "de la porte numéro"}[line[2]]
        return statement(
            f"{english} leaves from {line[2]} number {english_number(platform)}",
            f"{french} part {french_stop} {french_number(platform)}",
        )
    return statement(f"{english} leaves {when[0]}", f"{french} part {when[1]}")


def arrival(draw: Draw) -> Pair:
    """Write pairs like «The plane arrives in Rome at a quarter to four; what time do we arrive?»."""
    line = draw.one(LINES)
    city = draw.one(cities_of(line[0]))
    form = draw.below(4)
    vehicle = join_french("le", line[1])
    if form == 0:
        return courteous(
            draw,
            f"what time does the {line[0]} arrive in {city[0]}",
            f"à quelle heure est-ce que {vehicle} arrive à {city[1]}",
            "?",
            (),
            0,
        )
    if form == 1:
        return courteous(
            draw,
            f"what time do we arrive in {city[0]}",
            f"à quelle heure est-ce que nous arrivons à {city[1]}",
            "?",
            (),
            0,
        )
    hour, minute = draw.between(6, 23), draw.one((0, 5, 10, 15, 20, 30, 40, 45, 50))
    start = draw.one(((f"the {line[0]} arrives", f"{vehicle} arrive"), ("we arrive", "nous arrivons")))
    return statement(
        f"{start[0]} in {city[0]} at {english_clock(hour, minute)}",
        f"{start[1]} à {city[1]} à {french_clock(hour, minute)}",
    )


def delay(draw: Draw) -> Pair:
    """The train is ten minutes late; the flight to Rome has been cancelled."""
    entry = draw.one(nouns_of("transport"))
    phrase = noun_phrase(entry, draw.one(("the", "the", "my", "this")))
    city = draw.one(cities_of(entry.english))
    english, french = phrase.english, phrase.french
    if draw.chance(0.5):
        english, french = f"{english} to {city[0]}", f"{french} pour {city[1]}"
    form = draw.below(5)
    if form == 0:
        return question(f"is {english} late", f"est-ce que {french} est en retard")
    if form == 1:
        return statement(f"{english} has_ been cancelled", f"{french} a été annulé")
    if form == 2:
        state = draw.one((("late", "en retard"), ("on time", "à l'heure"), ("full", "complet"), ("early", "en avance")))
        negation = draw.chance(0.25)
        return statement(
            f"{english} is {'not ' if negation else ''}{state[0]}",
            join_french(french, around("est", "pas" if negation else ""), state[1]),
        )
    if draw.chance(0.3):
        hours = draw.between(1, 3)
        return statement(
            f"{english} is {english_number(hours)} hour{'s' if hours > 1 else ''} late",
            f"{french} a {french_number(hours, 'f')} heure{'s' if hours > 1 else ''} de retard",
        )
    number = draw.one((5, 10, 15, 20, 25, 30, 40))
    return statement(
        f"{english} is {english_number(number)} minutes late", f"{french} a {french_number(number)} minutes de retard"
    )


def fitting(way: tuple[str, str], city: tuple[str, str]) -> tuple[str, str]:
    """Keep a way of travelling, or take the train where it does not go."""
    served = cities_of(way[0].removeprefix("by "))
    return way if city in served else MEANS[0]


def means_of(vehicle: str) -> tuple[str, str]:
    """Return by train, en train and the like."""
    return next(means for means in MEANS if means[0] == f"by {vehicle}")


def route(draw: Draw) -> Pair | None:
    """Does this train stop in Dijon? It takes two hours to go from Paris to Lyon by train."""
    line = draw.one(LINES)
    served = cities_of(line[0])
    first, second = draw.one(served), draw.one(served)
    if first is second:
        return None
    form = draw.below(7)
    this = {"avion": "cet avion"}.get(line[1], f"ce {line[1]}")
    if form == 0 and line[0] in ("train", "bus"):
        return courteous(
            draw,
            f"does this {line[0]} stop in {first[0]}",
            f"est-ce que {this} s'arrête à {first[1]}",
            "?",
            (),
            0,
        )
    if form == 1:
        return courteous(
            draw, f"do I have to change in {first[0]}", f"est-ce que je dois changer à {first[1]}", "?", (), 0
        )
    if form == 2:
        count = draw.between(2, 4) if line[0] == "plane" else draw.between(3, 9)
        means = means_of(line[0])
        if line[0] in ("train", "bus") and (first not in FRENCH_CITIES or second not in FRENCH_CITIES):
            return None
        return statement(
            f"it takes {english_number(count)} hours to go from {first[0]} to {second[0]} {means[0]}",
            f"il faut {french_number(count)} heures pour aller {join_french('de', first[1])} à {second[1]} {means[1]}",
        )
    if form == 3:
        means = means_of(line[0])
        return question(
            f"how long does it take to go from {first[0]} to {second[0]} {means[0]}",
            f"combien de temps faut-il pour aller {join_french('de', first[1])} à {second[1]} {means[1]}",
        )
    if form == 4:
        return courteous(
            draw,
            f"is there a {line[0]} from {first[0]} to {second[0]}",
            f"y a-t-il un {line[1]} {join_french('de', first[1])} à {second[1]}",
            "?",
            (),
            0,
        )
    if form == 5:
        return courteous(
            draw,
            f"which {line[0]} goes to {first[0]}",
            f"quel {line[1]} va à {first[1]}",
            "?",
            (),
            0,
        )
    return courteous(
        draw,
        f"is this the {line[0]} to {first[0]}",
        f"est-ce que c'est {join_french('le', line[1])} pour {first[1]}",
        "?",
        (),
        0,
    )


def arrived(draw: Draw) -> Pair:
    """She arrived in Paris by train on Monday evening: elle est arrivée."""
    subject, be = draw.one(
        (
            (I, "suis"),
            (WE, "sommes"),
            (HE, "est"),
            (SHE, "est"),
            (THEY, "sont"),
            (YOU, "êtes"),
        )
    )
    ending = ("e" if subject.gender == "f" else "") + ("s" if subject.plural else "")
    verb = draw.one(
        (
            ("arrived in", "arrivé", "à"),
            ("left", "parti", "de"),
            ("went to", "allé", "à"),
            ("came back from", "revenu", "de"),
            ("stayed in", "resté", "à"),
        )
    )
    city = draw.one(CITIES)
    place = city[0], join_french(verb[2], city[1])
    if draw.chance(0.4):
        country = draw.one(COUNTRIES)
        place = country.english, country.origin if verb[2] == "de" else country.to
    english, french = f"{subject.english} {verb[0]} {place[0]}", f"{subject.french} {be} {verb[1]}{ending} {place[1]}"
    means: tuple[tuple[str, str], ...] = MEANS[:4]
    if place[0] in OVERSEAS:
        means = tuple(way for way in MEANS if way[0] == "by plane")
    day = draw.one(DAYS)
    extra = draw.one(
        (
            (f"on {day[0]}", day[1]),
            ("yesterday", "hier"),
            ("two days ago", "il y a deux jours"),
            ("last week", "la semaine dernière"),
            *means,
        )
    )
    if extra[0].startswith("by ") and place[0] == city[0]:
        extra = fitting(extra, city)
    if verb[0] == "stayed in":
        count = draw.between(2, 10)
        extra = (f"for {english_number(count)} days", f"{french_number(count)} jours")
    return statement(f"{english} {extra[0]}", f"{french} {extra[1]}")


def travel_plans(draw: Draw) -> Pair:
    """We are going to Portugal by plane next week; I am leaving for Rome tomorrow."""
    subject, go, leave = draw.one(
        (
            (I, "vais", "pars"),
            (WE, "allons", "partons"),
            (HE, "va", "part"),
            (SHE, "va", "part"),
            (THEY, "vont", "partent"),
        )
    )
    country, city = draw.one(COUNTRIES), draw.one(CITIES)
    time = draw.one(
        (
            ("tomorrow", "demain"),
            ("next week", "la semaine prochaine"),
            ("next month", "le mois prochain"),
            ("this summer", "cet été"),
            ("on Saturday", "samedi"),
            ("in two days", "dans deux jours"),
            ("", ""),
        )
    )
    means = draw.one((*MEANS[:4], ("", ""), ("", ""), ("", "")))
    english_place, french_place = country.english, country.to
    if draw.chance(0.4):
        english_place, french_place = city[0], f"à {city[1]}"
        means = fitting(means, city) if means[0] else means
    elif country.english in OVERSEAS:
        means = ("by plane", "en avion")
    negation = draw.chance(0.2)
    head = "not going to" if negation else "going to"
    if draw.chance(0.3):
        return statement(
            f"{subject.english} {subject.be} leaving for {city[0]} {time[0]}".strip(),
            join_french(subject.french, leave, f"pour {city[1]}", time[1]),
        )
    return statement(
        join_english(subject.english, subject.be, head, english_place, means[0], time[0]),
        join_french(subject.french, around(go, "pas" if negation else ""), french_place, means[1], time[1]),
    )


def seats(draw: Draw) -> Pair:
    """Is this seat free? There are no more seats on the ten o'clock train."""
    place = draw.one((("train", "le train"), ("bus", "le bus"), ("plane", "l'avion"), ("boat", "le bateau")))
    form = draw.below(4)
    if form == 0:
        owned = draw.one(
            ("suitcase", "bag", "umbrella", "phone", "rucksack", "camera", "handbag", "passport", "glasses", "gloves")
        )
        phrase = noun_phrase(noun(owned), "my")
        return statement(
            f"I have_ left {phrase.english} on the {place[0]}", f"j'ai laissé {phrase.french} dans {place[1]}"
        )
    if form == 1:
        return statement(f"there are no more seats on the {place[0]}", f"il n'y a plus de places dans {place[1]}")
    count = draw.between(2, 8)
    start = draw.one((("I would like to book", "je voudrais réserver"), ("we have_ booked", "nous avons réservé")))
    return statement(
        f"{start[0]} {english_number(count)} seats on the {place[0]}",
        f"{start[1]} {french_number(count)} places dans {place[1]}",
        (("number", english_number(count), "seat"),),
    )


TEMPLATES = (
    (buy_tickets, 3.5),
    (departure, 4.0),
    (arrival, 2.5),
    (delay, 2.5),
    (route, 3.5),
    (arrived, 3.0),
    (travel_plans, 2.5),
    (seats, 0.7),
)
