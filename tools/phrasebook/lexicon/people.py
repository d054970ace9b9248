"""Subjects and names: pronouns, relatives, first names with their gender, and what English tells of it."""

from tools.phrasebook.clauses import Subject
from tools.phrasebook.lexicon.nouns import noun
from tools.phrasebook.noun_phrases import noun_phrase

I = Subject("I", "je", 0)  # noqa: E741
YOU = Subject("you", "vous", 4)
HE = Subject("he", "il", 2)
SHE = Subject("she", "elle", 2, "f", owner_gender="f")
WE = Subject("we", "nous", 3, "m", True)
THEY = Subject("they", "ils", 5, "m", True)
PRONOUNS = (I, YOU, HE, SHE, WE, THEY)

WOMEN = ("Marie", "Sophie", "Julie", "Claire", "Anna", "Emma", "Alice", "Nathalie")
MEN = ("Paul", "Pierre", "Marc", "Thomas", "Julien", "Antoine", "Lucas", "David")
SURNAMES = ("Martin", "Bernard", "Dubois", "Moreau", "Garnier", "Lambert", "Rousseau", "Fontaine")


def relative(english: str, plural: bool = False, owner: int = 0) -> Subject:
    """Make a subject of one's relative or friend: my sister, our children."""
    phrase = noun_phrase(noun(english), "my", plural, owner=owner)
    return Subject(
        phrase.english,
        phrase.french,
        5 if phrase.plural else 2,
        phrase.gender,
        phrase.plural,
        False,
        "f" if phrase.gender == "f" else "m",
    )


def named(name: str) -> Subject:
    """Make a subject of a first name, whose gender decides agreement."""
    gender = "f" if name in WOMEN else "m"
    return Subject(name, name, 2, gender, False, False, gender)


def friend_called(name: str) -> Subject:
    """Make a subject whose name shows the gender of the friend: my friend Marie, mon amie Marie."""
    gender = "f" if name in WOMEN else "m"
    return Subject(
        f"my friend {name}", f"mon {'amie' if gender == 'f' else 'ami'} {name}", 2, gender, False, False, gender
    )


ADULTS = tuple(relative(word) for word in ["brother", "sister", "mother", "father", "husband", "wife", "aunt", "uncle"])
CHILDREN = (relative("son"), relative("daughter"))
GROUPS = (
    relative("parents"),
    relative("child", plural=True),
    relative("friend", plural=True),
    relative("sister", plural=True),
    relative("brother", plural=True),
    relative("colleague", plural=True),
)
NAMED = tuple(named(name) for name in WOMEN + MEN)
FRIENDS = tuple(friend_called(name) for name in WOMEN[:5] + MEN[:5])
COUPLES = (
    Subject("my husband and I", "mon mari et moi", 3, "m", True, False),
    Subject("my wife and I", "ma femme et moi", 3, "m", True, False),
)
NOUN_SUBJECTS = ADULTS + CHILDREN + GROUPS + NAMED + FRIENDS
