"""Adjectives: English | masculine | feminine | place | classes of nouns they may describe.

Place is pre or post. A slash in the masculine gives the form before a vowel. The masculine plural adds s unless the
form ends in s or x, and -eau takes x; ``fixed`` adjectives and materials never change.
"""

from functools import cache

from tools.phrasebook.noun_phrases import Adjective, Noun

ADJECTIVE_TABLE = """
good | bon | bonne | pre | eatery lodging dish massfood show readable guide doctor meal finedrink fruit bakery
small | petit | petite | pre | lodging sight big shop eatery vehicle furniture town
big | grand | grande | pre | lodging sight big shop eatery vehicle furniture town
beautiful | beau/bel | belle | pre | sight dressy town beach picture jewel
pretty | joli | jolie | pre | dressy sight jewel tableware
new | nouveau/nouvel | nouvelle | pre | clothes eatery owned show
old | vieux/vieil | vieille | pre | sight town vehicle repairable coloured
expensive | cher | chère | post | eatery lodging clothes jewel costly finedrink
cheap | bon marché | bon marché | fixed | eatery lodging clothes costly
comfortable | confortable | confortable | post | lodging furniture comfy vehicle
quiet | calme | calme | post | lodging eatery outdoor
noisy | bruyant | bruyante | post | lodging way eatery
modern | moderne | moderne | post | lodging museum town station
famous | célèbre | célèbre | post | sight eatery
clean | propre | propre | post | cleanable lodging beach
dirty | sale | sale | post | cleanable beach
heavy | lourd | lourde | post | heavy luggage
light | léger | légère | post | heavy light
warm | chaud | chaude | post | warm
fresh | frais | fraîche | post | fresh
cold | froid | froide | post | cold temperate hotdish
delicious | délicieux | délicieuse | post | dish massfood sweetdish meal
excellent | excellent | excellente | post | dish meal eatery show massfood finedrink sweetdish
interesting | intéressant | intéressante | post | museum readable show interesting town
boring | ennuyeux | ennuyeuse | post | readable show interesting
red | rouge | rouge | post | coloured
blue | bleu | bleue | post | coloured
green | vert | verte | post | coloured
black | noir | noire | post | coloured
white | blanc | blanche | post | coloured
yellow | jaune | jaune | post | coloured
grey | gris | grise | post | coloured
brown | marron | marron | fixed | coloured
leather | en cuir | en cuir | fixed | leathery
woollen | en laine | en laine | fixed | woolly
silk | en soie | en soie | fixed | silky fabric
cotton | en coton | en coton | fixed | fabric
French | français | française | post | eatery national film
Italian | italien | italienne | post | eatery national film
Spanish | espagnol | espagnole | post | eatery national film
German | allemand | allemande | post | national film
Japanese | japonais | japonaise | post | eatery film
vegetarian | végétarien | végétarienne | post | meal eatery
available | libre | libre | post | roomlike
"""

# Adjectives that describe people, always after a verb.
PERSON_TABLE = """
tired | fatigué | fatiguée | post |
ill | malade | malade | post |
ready | prêt | prête | post |
happy | heureux | heureuse | post |
worried | inquiet | inquiète | post |
lost | perdu | perdue | post |
busy | occupé | occupée | post |
sad | triste | triste | post |
free | libre | libre | post |
delighted | ravi | ravie | post |
alone | seul | seule | post |
disappointed | déçu | déçue | post |
surprised | surpris | surprise | post |
"""

STATE_TABLE = """
open | ouvert | ouverte | post |
closed | fermé | fermée | post |
full | complet | complète | post |
free | gratuit | gratuite | post |
broken | cassé | cassée | post |
occupied | occupé | occupée | post |
included | compris | comprise | post |
fast | rapide | rapide | post |
easy | facile | facile | post |
difficult | difficile | difficile | post |
dangerous | dangereux | dangereuse | post |
far | loin | loin | fixed |
long | long | longue | post |
short | court | courte | post |
next | prochain | prochaine | pre |
first | premier | première | pre |
last | dernier | dernière | pre |
best | meilleur | meilleure | pre |
married | marié | mariée | post |
single | célibataire | célibataire | post |
kind | gentil | gentille | post |
friendly | sympathique | sympathique | post |
young | jeune | jeune | pre |
spicy | épicé | épicée | post |
salty | salé | salée | post |
sweet | sucré | sucrée | post |
hot | chaud | chaude | post |
ready | prêt | prête | post |
"""

# Single nouns that form a class of their own for adjectives.
NOUN_CLASSES = {
    "museum": "museum",
    "beach": "beach",
    "bakery": "bakery",
    "guidebook": "guide",
    "doctor": "doctor",
    "dentist": "doctor",
    "ring": "jewel",
    "watch": "jewel",
    "film": "film",
    "station": "station",
}

COMPARATIVES = {
    "good": "better",
    "small": "smaller",
    "big": "bigger",
    "pretty": "prettier",
    "new": "newer",
    "old": "older",
    "cheap": "cheaper",
    "quiet": "quieter",
    "noisy": "noisier",
    "clean": "cleaner",
    "heavy": "heavier",
    "light": "lighter",
    "warm": "warmer",
    "fast": "faster",
    "easy": "easier",
    "long": "longer",
    "short": "shorter",
    "young": "younger",
}


def masculine_plural(form: str) -> str:
    """Form the masculine plural of an adjective."""
    if form.endswith(("s", "x")):
        return form
    return form + ("x" if form.endswith("eau") else "s")


def read_adjective(line: str) -> Adjective:
    """Read one line of a table."""
    english, masculine, feminine, place, classes = (field.strip() for field in line.split("|"))
    base, _, before_vowel = masculine.partition("/")
    fixed = place == "fixed"
    return Adjective(
        english=english,
        masculine=base,
        feminine=feminine,
        masculine_plural=base if fixed else masculine_plural(base),
        feminine_plural=feminine if fixed else feminine + "s",
        before_vowel=before_vowel or base,
        precedes=place == "pre",
        classes=tuple(classes.split()),
    )


def read_table(table: str) -> dict[str, Adjective]:
    """Read a table into a dictionary by the English adjective."""
    entries = [read_adjective(line) for line in table.strip().splitlines()]
    return {entry.english: entry for entry in entries}


ATTRIBUTIVE = read_table(ADJECTIVE_TABLE)
PERSONAL = read_table(PERSON_TABLE)
STATES = read_table(STATE_TABLE)
COLOURS = tuple(ATTRIBUTIVE[word] for word in ["red", "blue", "green", "black", "white", "yellow", "grey", "brown"])
# Adjectives that make no good predicate after is: a material or a nationality needs other words.
ONLY_ATTRIBUTIVE = frozenset(
    ["leather", "woollen", "silk", "cotton", "French", "Italian", "Spanish", "German", "Japanese", "new"]
)


@cache
def adjectives_for(entry: Noun) -> tuple[Adjective, ...]:
    """Return the adjectives that make sense with a noun."""
    classes = entry.classes | {NOUN_CLASSES.get(entry.english, "")}
    return tuple(adjective for adjective in ATTRIBUTIVE.values() if classes & set(adjective.classes))


def english_comparative(adjective: Adjective) -> str:
    """Compare: cheaper, better, or more comfortable."""
    return COMPARATIVES.get(adjective.english, f"more {adjective.english}")


def english_superlative(adjective: Adjective) -> str:
    """Give the superlative without its article: best, cheapest, most comfortable."""
    if adjective.english == "good":
        return "best"
    comparative = english_comparative(adjective)
    if comparative.startswith("more "):
        return "most " + adjective.english
    return comparative.removesuffix("r") + "st"
