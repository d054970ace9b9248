"""Combinations kept out of the training part, so that the unseen group of the test asks for generalisation.

A combination is a kind with two words: an adjective and a noun, a verb and a construction, a noun and a template, a
number and a noun. Each word occurs in train, the two of them together never.
"""

from tools.phrasebook.noun_phrases import Tag

ADJECTIVE_NOUN = """
red: dress suitcase scarf; blue: coat shoes; green: shirt; black: jacket hat; white: skirt car; yellow: umbrella;
grey: jumper trousers; brown: boots; leather: handbag gloves; cotton: shirt; woollen: coat; silk: tie;
good: restaurant pizza; small: hotel museum; big: supermarket garden; beautiful: beach church; pretty: village;
old: bridge castle; expensive: watch hotel; cheap: campsite; comfortable: bed flat; quiet: park; noisy: café;
famous: museum; clean: bathroom; delicious: soup cake; excellent: omelette; fresh: bread; interesting: book;
boring: film; warm: scarf; heavy: rucksack; cold: milk; Italian: wine; Spanish: restaurant; French: newspaper;
new: camera phone; dirty: plate
"""
VERB_CONSTRUCTION = """
rent: negated past; book: pronoun; visit: negated past; repair: past; send: negated future; open: pronoun;
invite: negated past; order: recent past; wash: relative clause; read: negated past;
cancel: recent past; phone: negated future; taste: negated modal; sign: negated imperative; sell: negated past;
write: negated present; swim: negated past; go out: recent past; rest: negated future; get up: negated past;
come back: negated future; drink: right now; see: rien; try on: negated modal; forget: negated imperative
"""
TEMPLATE_NOUN = """
where is: library theatre harbour; nearest: bakery swimming pool; tell me where: cathedral embassy lift;
is there: bookshop cinema; how do I get: castle town hall; far from: stadium zoo; opening hours: bakery post office;
minutes away: church university; do you have: umbrella postcard; wish: baguette map; how much: hat ring;
would you like: pancake tea; how many: peach ticket; does not work: television lamp; bring: blanket spoon;
like: strawberry theatre; event time: match; which: jacket; position: pharmacy
"""
NUMBER_NOUN = """
three: coffee stamp; four: croissant beer; five: orange postcard; six: ticket sandwich; seven: apple; eight: egg lemon;
nine: peach; ten: stamp; two: salad omelette; eleven: tomato; twelve: banana
"""


def combinations(kind: str, table: str) -> set[Tag]:
    """Read a table of entries such as ``red: dress coat; blue: hat``."""
    result = set()
    for entry in " ".join(table.split()).split(";"):
        first, _, seconds = entry.partition(":")
        for second in split_words(seconds.strip()):
            result.add((kind, first.strip(), second))
    return result


# Second words of more than one word.
LONG_WORDS = ("swimming pool", "town hall", "post office")


def split_words(text: str) -> list[str]:
    """Split at spaces, but keep the long words and the names of constructions whole."""
    for word in LONG_WORDS:
        text = text.replace(word, word.replace(" ", "_"))
    return [word.replace("_", " ") for word in text.split()]


def constructions(table: str) -> set[Tag]:
    """Read the table of verbs and constructions, one construction for each verb."""
    result = set()
    for entry in " ".join(table.split()).split(";"):
        verb, _, name = entry.partition(":")
        result.add(("construction", verb.strip(), name.strip()))
    return result


HELD_OUT: frozenset[Tag] = frozenset(
    combinations("adjective", ADJECTIVE_NOUN)
    | constructions(VERB_CONSTRUCTION)
    | combinations("template", TEMPLATE_NOUN)
    | combinations("number", NUMBER_NOUN)
)
KINDS = ("adjective", "construction", "template", "number")


def held_out(tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
    """Return those of the combinations that are kept out of train."""
    return tuple(tag for tag in tags if tag in HELD_OUT)
