"""Clock times, days, months and dates in both languages, always in words."""

from tools.phrasebook.numerals import english_number, english_ordinal, french_number, french_ordinal

DAYS = tuple(
    zip(
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
        ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
        strict=True,
    )
)
MONTHS = tuple(
    zip(
        [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
        strict=True,
    )
)
SEASONS = (
    ("in spring", "au printemps"),
    ("in summer", "en été"),
    ("in autumn", "en automne"),
    ("in winter", "en hiver"),
)
ENGLISH_MINUTES = {15: "a quarter", 30: "half", 5: "five", 10: "ten", 20: "twenty", 25: "twenty-five"}


def english_clock(hour: int, minute: int) -> str:
    """Spell a clock time in the British way: half past eight, a quarter to nine, noon, midnight.

    Half past twelve is after noon; the minutes after midnight are left out of the phrasebook.
    """
    if minute > 30:
        following = (hour + 1) % 24
        return f"{ENGLISH_MINUTES[60 - minute]} to {'twelve' if following == 12 else english_hour(following)}"
    if minute:
        return f"{ENGLISH_MINUTES[minute]} past {'twelve' if hour == 12 else english_hour(hour)}"
    return english_hour(hour)


def english_hour(hour: int) -> str:
    """Name an hour on the twelve-hour clock; noon and midnight by name."""
    if hour in (0, 12):
        return "midnight" if hour == 0 else "noon"
    return english_number(hour if hour < 12 else hour - 12)


def french_clock(hour: int, minute: int) -> str:
    """Spell a clock time: huit heures et demie, neuf heures moins le quart, midi et demi."""
    if minute > 30:
        rest = 60 - minute
        return f"{french_hour((hour + 1) % 24)} moins {'le quart' if rest == 15 else french_number(rest)}"
    if minute == 30:
        # Midi and minuit are masculine, so demi stays bare after them.
        return f"{french_hour(hour)} et {'demi' if hour in (0, 12) else 'demie'}"
    if minute == 15:
        return f"{french_hour(hour)} et quart"
    return french_hour(hour) + (f" {french_number(minute)}" if minute else "")


def french_hour(hour: int) -> str:
    """Name an hour on the twelve-hour clock: une heure, midi, minuit."""
    if hour in (0, 12):
        return "minuit" if hour == 0 else "midi"
    hour = hour if hour < 12 else hour - 12
    return f"{french_number(hour, 'f')} heure{'s' if hour > 1 else ''}"


def english_date(day: int, month: int) -> str:
    """Write the third of May."""
    return f"the {english_ordinal(day)} of {MONTHS[month - 1][0]}"


def french_date(day: int, month: int) -> str:
    """Write trois mai without its article; only the first of a month is an ordinal."""
    return f"{french_ordinal(1) if day == 1 else french_number(day)} {MONTHS[month - 1][1]}"
