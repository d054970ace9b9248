"""Draw verb phrases that make sense, with subjects and expressions of time that fit their tense."""

from tools.phrasebook.clauses import Subject, VerbPhrase
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.people import HE, NOUN_SUBJECTS, SHE, THEY, WE, YOU, I
from tools.phrasebook.lexicon.verbs import ACTIVITIES, FRAMES, Frame
from tools.phrasebook.noun_choices import NOTHING, UNWANTED, described
from tools.phrasebook.noun_phrases import Noun

PAST_TIMES = (
    ("yesterday", "hier"),
    ("yesterday morning", "hier matin"),
    ("yesterday evening", "hier soir"),
    ("last week", "la semaine dernière"),
    ("last month", "le mois dernier"),
    ("this morning", "ce matin"),
    ("on Monday", "lundi"),
    ("on Saturday", "samedi"),
    ("two days ago", "il y a deux jours"),
    ("three weeks ago", "il y a trois semaines"),
    ("an hour ago", "il y a une heure"),
)
FUTURE_TIMES = (
    ("tomorrow", "demain"),
    ("tomorrow morning", "demain matin"),
    ("tomorrow evening", "demain soir"),
    ("this evening", "ce soir"),
    ("this afternoon", "cet après-midi"),
    ("on Sunday", "dimanche"),
    ("on Thursday", "jeudi"),
    ("next week", "la semaine prochaine"),
    ("in two days", "dans deux jours"),
    ("after lunch", "après le déjeuner"),
    ("before dinner", "avant le dîner"),
)
PRESENT_TIMES = (("now", "maintenant"), ("at the moment", "en ce moment"))
HABIT_TIMES = (
    ("every day", "tous les jours"),
    ("every morning", "tous les matins"),
    ("every evening", "tous les soirs"),
    ("every week", "toutes les semaines"),
    ("on Sundays", "le dimanche"),
    ("in the morning", "le matin"),
    ("in the evening", "le soir"),
)
LEFT_PLACES = (
    ("in the room", "dans la chambre"),
    ("on the table", "sur la table"),
    ("in the car", "dans la voiture"),
    ("at reception", "à la réception"),
    ("in the taxi", "dans le taxi"),
    ("at the hotel", "à l'hôtel"),
    ("at the restaurant", "au restaurant"),
)
# Early and late suit a single day only.
DAYTIMES = frozenset(
    ("yesterday", "this morning", "on Monday", "on Saturday", "tomorrow", "tomorrow morning", "on Sunday")
)
ADVERBS = (("often", "souvent"), ("always", "toujours"), ("sometimes", "parfois"), ("rarely", "rarement"))

# Nobody plans to smoke; the word keeps to its own templates.
ORDINARY = frozenset(entry.verb.english for entry in ACTIVITIES) - {"smoke"}


def any_subject(draw: Draw) -> Subject:
    """Draw a subject for a statement, I most often."""
    if draw.chance(0.4):
        return I
    if draw.chance(0.45):
        return draw.one((WE, HE, SHE, THEY, YOU))
    return draw.one(NOUN_SUBJECTS)


def may_own(subject: Subject, noun: Noun) -> bool:
    """Keep husbands and wives to one person each."""
    if noun.english not in ("husband", "wife"):
        return True
    return not subject.plural and (subject.person != 2 or subject.gender == ("f" if noun.english == "husband" else "m"))


def fit_determiner(draw: Draw, frame: Frame, subject: Subject, probability: float) -> VerbPhrase:
    """Draw an object of a frame with a determiner the frame allows."""
    determiner = draw.one(frame.determiners)
    noun = draw.one([noun for noun in frame.objects if determiner != "m" or may_own(subject, noun)])
    plural = determiner == "s" or (determiner in ("a", "s") and "many" in noun.classes)
    plural = plural and noun.number == "count"
    name = {"t": "the", "a": "a", "s": "some", "d": "this", "m": "my"}[determiner]
    unwanted = NOTHING if frame.verb.english in ("lose", "forget", "sell", "repair", "wear", "wash") else UNWANTED
    if frame.verb.english == "clean":
        probability = 0.0
    phrase = described(draw, noun, name, plural, probability, unwanted, subject=subject)
    place = draw.one(LEFT_PLACES) if frame.verb.english == "leave" else ("", "")
    return VerbPhrase(frame.verb, phrase, rest=place)


def any_action(
    draw: Draw, use: str, subject: Subject, probability: float = 0.2, verbs: frozenset[str] = frozenset()
) -> VerbPhrase:
    """Draw a verb phrase for a use: P past, F future or infinitive, C present continuous; ``verbs`` narrows it."""
    frames = [frame for frame in FRAMES if use in frame.uses and (not verbs or frame.verb.english in verbs)]
    activities = [entry for entry in ACTIVITIES if use in entry.uses and entry.verb.english in (verbs or ORDINARY)]
    if not activities or (frames and draw.chance(0.7)):
        return fit_determiner(draw, draw.one(frames), subject, probability)
    activity = draw.one(activities)
    english, french = draw.one(activity.complements)
    return VerbPhrase(activity.verb, rest=(english, f"{activity.fixed} {french}".strip()))


def with_time(phrase: VerbPhrase, time: tuple[str, str]) -> VerbPhrase:
    """Add an expression of time at the end, unless it clashes with early or late, or with the verb."""
    if (phrase.verb.english == "find" and time in FUTURE_TIMES) or phrase.verb.english == "try on":
        return phrase
    if phrase.rest[0].endswith(("early", "late")) and time[0] not in DAYTIMES:
        return phrase
    rest = (f"{phrase.rest[0]} {time[0]}".strip(), f"{phrase.rest[1]} {time[1]}".strip())
    return VerbPhrase(phrase.verb, phrase.object, phrase.pronoun, rest, phrase.tags)
