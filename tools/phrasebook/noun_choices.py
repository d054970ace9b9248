"""Draw noun phrases: a noun with fitting adjectives, a number, or an owner."""

from tools.phrasebook.clauses import Subject
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import adjectives_for
from tools.phrasebook.noun_phrases import Adjective, Noun, NounPhrase, noun_phrase

# Adjectives nobody uses of what they ask for or set out to buy.
UNWANTED = frozenset(["old", "dirty", "noisy", "expensive", "heavy", "boring", "cold"])
# Nor do customers praise what they have not seen.
UNREQUESTED = UNWANTED | frozenset(["good", "excellent", "delicious", "beautiful", "interesting", "famous", "clean"])
NOTHING: frozenset[str] = frozenset()


def described(
    draw: Draw,
    noun: Noun,
    determiner: str,
    plural: bool = False,
    probability: float = 0.35,
    unwanted: frozenset[str] = NOTHING,
    count: int = 0,
    subject: Subject | None = None,
) -> NounPhrase:
    """Build a phrase, sometimes with an adjective, now and then with one before and one after the French noun."""
    choices = [entry for entry in adjectives_for(noun) if entry.english not in unwanted]
    chosen: tuple[Adjective, ...] = ()
    if choices and draw.chance(probability):
        chosen = (draw.one(choices),)
        before = [entry for entry in choices if entry.precedes and entry.english not in ("good",)]
        if not chosen[0].precedes and before and draw.chance(0.1):
            chosen = (draw.one(before), *chosen)
    return noun_phrase(
        noun,
        determiner,
        plural,
        chosen,
        count,
        subject.person if subject else 0,
        subject.owner_gender if subject else "m",
    )


def some_of(draw: Draw, noun: Noun, probability: float = 0.3, unwanted: frozenset[str] = UNWANTED) -> NounPhrase:
    """Build an indefinite phrase: a or some, singular or plural as the noun allows."""
    return described(draw, noun, "a", noun.number == "count" and "many" in noun.classes, probability, unwanted)
