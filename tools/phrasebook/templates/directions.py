"""Asking and telling the way: where things are, how to get there, opening hours."""

from tools.phrasebook.calendar import DAYS, english_clock, french_clock
from tools.phrasebook.clauses import around
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import adjectives_for
from tools.phrasebook.lexicon.nouns import nouns_of
from tools.phrasebook.noun_phrases import Noun, NounPhrase, Tag, noun_phrase
from tools.phrasebook.numerals import english_number, french_number
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, courteous, statement

PLACES = nouns_of("place")
FINDABLE = nouns_of("place", "inside")
NEAR = nouns_of("near")
OPENING = nouns_of("opens")
# English preposition, French preposition before a noun phrase.
POSITIONS = (
    ("next to", "à côté de"),
    ("opposite", "en face de"),
    ("near", "près de"),
    ("behind", "derrière"),
    ("in front of", "devant"),
    ("far from", "loin de"),
    ("to the left of", "à gauche de"),
    ("to the right of", "à droite de"),
)
SIMPLE_POSITIONS = (
    ("on the left", "à gauche"),
    ("on the right", "à droite"),
    ("at the end of the street", "au bout de la rue"),
    ("in the town centre", "dans le centre-ville"),
    ("on the other side of the street", "de l'autre côté de la rue"),
    ("very close to here", "tout près d'ici"),
    ("a long way from here", "très loin d'ici"),
)
TURNS = (("turn left", "tournez à gauche"), ("turn right", "tournez à droite"))
LANDMARKS = nouns_of("public", "sight")


def the(noun: Noun) -> NounPhrase:
    """Return a noun with its definite article."""
    return noun_phrase(noun, "the")


def tagged(template: str, noun: Noun) -> tuple[Tag, ...]:
    """Mark the meeting of a noun with a template."""
    return (("template", template, noun.english),)


def be(phrase: NounPhrase) -> tuple[str, str]:
    """Return is or are in both languages."""
    return "are" if phrase.english_plural else "is", "sont" if phrase.plural else "est"


def where_is(draw: Draw) -> Pair:
    """Write pairs like «Where is the station?»."""
    noun = draw.one(FINDABLE)
    phrase = the(noun)
    english_be, french_be = be(phrase)
    return courteous(
        draw,
        f"where {english_be} {phrase.english}",
        f"où {french_be} {phrase.french}",
        "?",
        tagged("where is", noun),
        0.3,
    )


def nearest(draw: Draw) -> Pair:
    """Where is the nearest pharmacy? La pharmacie la plus proche."""
    noun = draw.one(NEAR)
    plural = noun.number == "plural"
    article = "les" if plural else "la" if noun.gender == "f" else "le"
    french = join_french(the(noun).french, article, "plus proche" + ("s" if plural else ""))
    be_english, be_french = be(the(noun))
    english = f"the nearest {noun.english}"
    kind = draw.below(3)
    tags = tagged("nearest", noun)
    if kind == 0:
        return courteous(draw, f"where {be_english} {english}", f"où {be_french} {french}", "?", tags, 0.2)
    if kind == 1:
        return courteous(draw, f"I am looking for {english}", f"je cherche {french}", ".", tags, 0)
    return courteous(
        draw,
        f"could you tell me where {english} {be_english}",
        f"pourriez-vous me dire où {be_french} {french}",
        "?",
        tags,
        0.3,
    )


def tell_me_where(draw: Draw) -> Pair:
    """Write pairs like «Could you tell me where the bank is?»."""
    noun = draw.one(FINDABLE)
    phrase = the(noun)
    english_be, french_be = be(phrase)
    start = draw.one(
        (
            ("could you tell me where", "pourriez-vous me dire où"),
            ("can you tell me where", "pouvez-vous me dire où"),
            ("do you know where", "savez-vous où"),
        )
    )
    return courteous(
        draw,
        f"{start[0]} {phrase.english} {english_be}",
        f"{start[1]} {french_be} {phrase.french}",
        "?",
        tagged("tell me where", noun),
        0.3 if start[0] != "do you know where" else 0,
    )


def is_there(draw: Draw) -> Pair:
    """Write pairs like «Is there a good restaurant near here?»."""
    noun = draw.one(NEAR)
    choices = [adjective for adjective in adjectives_for(noun) if adjective.english not in ("noisy", "expensive")]
    adjectives = (draw.one(choices),) if choices and draw.chance(0.6) else ()
    phrase = noun_phrase(noun, "a", adjectives=adjectives)
    english = phrase.english.replace("some ", "any ")
    where = draw.one((("near here", "près d'ici"), ("in this street", "dans cette rue"), ("nearby", "à proximité")))
    if draw.chance(0.4):
        landmark = draw.one(LANDMARKS)
        where = (f"near {the(landmark).english}", the(landmark).after("près de"))
        if landmark is noun:
            return courteous(draw, "is it near here", "est-ce que c'est près d'ici", "?", (), 0)
    be_english = "are there" if phrase.english_plural else "is there"
    return courteous(
        draw,
        f"{be_english} {english} {where[0]}",
        f"y a-t-il {phrase.french} {where[1]}",
        "?",
        phrase.tags + tagged("is there", noun),
        0,
    )


def how_to_get(draw: Draw) -> Pair:
    """Write pairs like «How do I get to the museum?»."""
    noun = draw.one(PLACES)
    phrase = the(noun)
    where = phrase.after("à")
    english, french = draw.one(
        (
            ("how do I get to {}", "comment est-ce que je peux aller {}"),
            ("can we walk to {}", "est-ce que nous pouvons aller à pied {}"),
            ("which bus goes to {}", "quel bus va {}"),
            ("does this bus go to {}", "est-ce que ce bus va {}"),
            ("could you take me to {}", "pourriez-vous m'emmener {}"),
            ("is it far to {}", "est-ce que c'est loin pour aller {}"),
        )
    )
    please = 0.5 if "could you" in english else 0.0
    return courteous(
        draw, english.format(phrase.english), french.format(where), "?", tagged("how do I get", noun), please
    )


def far_from_here(draw: Draw) -> Pair:
    """Write pairs like «Is the station far from here?»."""
    noun = draw.one(PLACES)
    phrase = the(noun)
    other = draw.one(LANDMARKS)
    where = ("here", "d'ici") if draw.chance(0.5) else (the(other).english, the(other).after("de"))
    if other is noun:
        where = ("here", "d'ici")
    return courteous(
        draw,
        f"is {phrase.english} far from {where[0]}",
        f"est-ce que {phrase.french} est loin {where[1]}",
        "?",
        tagged("far from", noun),
        0,
    )


def position(draw: Draw) -> Pair | None:
    """The bank is next to the post office."""
    first, second = draw.one(FINDABLE), draw.one(PLACES)
    if first is second:
        return None
    phrase, other = the(first), the(second)
    english_be, french_be = be(phrase)
    if draw.chance(0.4):
        english, french = draw.one(SIMPLE_POSITIONS)
    else:
        preposition = draw.one(POSITIONS)
        english, french = f"{preposition[0]} {other.english}", other.after(preposition[1])
    return statement(
        f"{phrase.english} {english_be} {english}", f"{phrase.french} {french_be} {french}", tagged("position", first)
    )


def minutes_away(draw: Draw) -> Pair:
    """The beach is ten minutes from here on foot."""
    noun = draw.one(PLACES)
    phrase = the(noun)
    number = draw.one((2, 3, 5, 10, 15, 20, 25, 30))
    means = draw.one((("", ""), (" on foot", " à pied"), (" by bus", " en bus"), (" by car", " en voiture")))
    return statement(
        f"{phrase.english} is {english_number(number)} minutes from here{means[0]}",
        f"{phrase.french} est à {french_number(number, 'f')} minutes d'ici{means[1]}",
        tagged("minutes away", noun),
    )


def instructions(draw: Draw) -> Pair:
    """Turn left after the bridge; take the second street on the right; go straight on as far as the church."""
    landmark = draw.one(LANDMARKS)
    phrase = the(landmark)
    steps = (
        (f"go straight on as far as {phrase.english}", "allez tout droit " + phrase.after("jusque à")),
        (f"walk past {phrase.english}", f"passez devant {phrase.french}"),
        ("take the first street on the left", "prenez la première rue à gauche"),
        ("take the second street on the right", "prenez la deuxième rue à droite"),
        ("take the third street on the left", "prenez la troisième rue à gauche"),
        ("cross the street", "traversez la rue"),
        ("cross the square", "traversez la place"),
        ("cross the bridge", "traversez le pont"),
    )
    first = draw.one(steps)
    turn = draw.one(TURNS)
    after = draw.one((("after", "après"), ("before", "avant")))
    second = draw.one(
        (
            turn,
            (f"{turn[0]} {after[0]} {phrase.english}", f"{turn[1]} {after[1]} {phrase.french}"),
            (f"{turn[0]} at the traffic lights", f"{turn[1]} au feu"),
            (f"{turn[0]} at the end of the street", f"{turn[1]} au bout de la rue"),
        )
    )
    form = draw.below(3)
    if form == 0 or phrase.english in first[0]:
        return statement(*first)
    if form == 1:
        return statement(*second)
    return statement(f"{first[0]}, then {second[0]}", f"{first[1]}, puis {second[1]}")


def opening_hours(draw: Draw) -> Pair:
    """What time does the museum open? The museum opens at nine."""
    noun = draw.one(OPENING)
    phrase = the(noun)
    english_verb, french_verb = draw.one((("open", "ouvre"), ("close", "ferme")))
    day = draw.one(DAYS)
    form = draw.below(5)
    tags = tagged("opening hours" if form < 2 else "opening state", noun)
    if form == 0:
        return courteous(
            draw,
            f"what time does {phrase.english} {english_verb}",
            f"à quelle heure {french_verb} {phrase.french}",
            "?",
            tags,
            0,
        )
    if form == 1:
        hour = draw.between(7, 10) if english_verb == "open" else draw.between(17, 20)
        minute = draw.one((0, 0, 30, 15, 45))
        return statement(
            f"{phrase.english} {english_verb}s at {english_clock(hour, minute)}",
            f"{phrase.french} {french_verb} à {french_clock(hour, minute)}",
            tags,
        )
    state = draw.one((("open", "ouvert", "ouverte"), ("closed", "fermé", "fermée")))
    adjective = state[2] if noun.gender == "f" else state[1]
    when = draw.one(
        (
            (f"on {day[0]}s", f"le {day[1]}"),
            (f"on {day[0]}s", f"le {day[1]}"),
            ("today", "aujourd'hui"),
            ("in the evening", "le soir"),
            ("in winter", "en hiver"),
            ("at lunchtime", "à l'heure du déjeuner"),
        )
    )
    if form == 2:
        return courteous(
            draw,
            f"is {phrase.english} {state[0]} {when[0]}",
            f"est-ce que {phrase.french} est {adjective} {when[1]}",
            "?",
            tags,
            0,
        )
    negation = draw.chance(0.3)
    return statement(
        f"{phrase.english} is {'not ' if negation else ''}{state[0]} {when[0]}",
        f"{phrase.french} {around('est', 'pas' if negation else '')} {adjective} {when[1]}",
        tags,
    )


TEMPLATES = (
    (where_is, 3.0),
    (nearest, 1.5),
    (tell_me_where, 2.0),
    (is_there, 2.5),
    (how_to_get, 2.5),
    (far_from_here, 1.5),
    (position, 3.0),
    (minutes_away, 1.5),
    (instructions, 2.5),
    (opening_hours, 3.0),
)
