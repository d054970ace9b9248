"""Number words of both languages, from nought to 9,999."""

from tools.phrasebook.orthography import join_english, join_french

ENGLISH_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
ENGLISH_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
FRENCH_UNITS = [
    "zéro",
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
    "dix-sept",
    "dix-huit",
    "dix-neuf",
]
FRENCH_TENS = ["_", "_", "vingt", "trente", "quarante", "cinquante", "soixante"]

ENGLISH_ORDINALS = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
]


def english_number(number: int) -> str:
    """Spell a number as in British English: two hundred and fourteen."""
    if number < 20:
        return ENGLISH_UNITS[number]
    if number < 100:
        tens, units = divmod(number, 10)
        return ENGLISH_TENS[tens] + (f"-{ENGLISH_UNITS[units]}" if units else "")
    scale, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    head, rest = divmod(number, scale)
    joiner = "and" if 0 < rest < 100 else ""
    return join_english(english_number(head), name, joiner, english_number(rest) if rest else "")


def french_number(number: int, gender: str = "m") -> str:
    """Spell a number: et before un and onze up to 71, vingt and cent with s only when multiplied and last.

    Only un has a feminine: vingt et une chambres. Mille never takes s nor un before it.
    """
    if number >= 1000:
        head, rest = divmod(number, 1000)
        # Before mille, vingts and cents lose their s.
        multiplier = "" if head == 1 else french_number(head).removesuffix("s") if head >= 80 else french_number(head)
        return join_french(multiplier, "mille", french_number(rest, gender) if rest else "")
    if number >= 100:
        head, rest = divmod(number, 100)
        multiplier = "" if head == 1 else FRENCH_UNITS[head]
        plural = "s" if head > 1 and not rest else ""
        return join_french(multiplier, "cent" + plural, french_number(rest, gender) if rest else "")
    if number < 20:
        return "une" if number == 1 and gender == "f" else FRENCH_UNITS[number]
    one = "une" if gender == "f" else "un"
    if number < 70:
        tens, units = divmod(number, 10)
        if units == 0:
            return FRENCH_TENS[tens]
        return f"{FRENCH_TENS[tens]} et {one}" if units == 1 else f"{FRENCH_TENS[tens]}-{FRENCH_UNITS[units]}"
    if number < 80:
        return "soixante et onze" if number == 71 else f"soixante-{FRENCH_UNITS[number - 60]}"
    if number == 80:
        return "quatre-vingts"
    return f"quatre-vingt-{one if number == 81 else FRENCH_UNITS[number - 80]}"


def english_ordinal(number: int) -> str:
    """Spell an ordinal: third, twenty-first."""
    if number < 20:
        return ENGLISH_ORDINALS[number]
    tens, units = divmod(number, 10)
    if units == 0:
        return ENGLISH_TENS[tens].removesuffix("y") + "ieth"
    return f"{ENGLISH_TENS[tens]}-{ENGLISH_ORDINALS[units]}"


def french_ordinal(number: int, gender: str = "m") -> str:
    """Spell an ordinal: premier or première, then -ième with cinqu- and neuv-."""
    if number == 1:
        return "première" if gender == "f" else "premier"
    stem = french_number(number).removesuffix("e")
    if stem.endswith("cinq"):
        stem += "u"
    elif stem.endswith("neuf"):
        stem = stem.removesuffix("f") + "v"
    return stem + "ième"
