"""French and English spelling rules that work across word boundaries: elision, contraction, capitals, punctuation.

Convention of the corpus: straight apostrophes, and an ordinary space before « ? », « ! », « : » and « ; ».
"""

VOWELS = "aàâeéèêëiîïoôœuùûhyAÀÂEÉÈÊËIÎÏOÔŒUÙÛHY"

# An h aspiré, a semi-vowel or a number word keeps the article whole: le homard, le yaourt, le onze mai.
NO_ELISION_BEFORE = frozenset(
    ["huit", "huitième", "onze", "onzième", "homard", "haricots", "hall", "haut", "haute", "yaourt", "yaourts", "oui"]
)

ELIDED = {
    "je": "j'",
    "me": "m'",
    "te": "t'",
    "se": "s'",
    "le": "l'",
    "la": "l'",
    "de": "d'",
    "ne": "n'",
    "que": "qu'",
    "jusque": "jusqu'",
    "lorsque": "lorsqu'",
}

CONTRACTIONS = {("à", "le"): "au", ("à", "les"): "aux", ("de", "le"): "du", ("de", "les"): "des"}


def starts_with_vowel_sound(text: str) -> bool:
    """Tell whether elision and liaison forms (l', cet, bel, mon amie) are used before ``text``."""
    word = text.split(" ")[0].rstrip(",.?!;:")
    if not word or word in NO_ELISION_BEFORE or word.split("-")[0] in NO_ELISION_BEFORE:
        return False
    if word[0] in "yY":
        return word == "y" or word.startswith("yeux")
    return word[0] in VOWELS


def join_french(*parts: str) -> str:
    """Join parts with spaces and elide je, me, te, se, le, la, de, ne, que, si and ce where French demands it.

    >>> join_french("je", "ne", "ai", "pas", "de", "argent")
    "je n'ai pas d'argent"
    """
    words = [word for part in parts for word in part.split(" ") if word]
    result = ""
    for position, word in enumerate(words):
        following = words[position + 1] if position + 1 < len(words) else ""
        lower = word.lower()
        elided = ""
        if lower in ELIDED and starts_with_vowel_sound(following):
            elided = ELIDED[lower]
        elif lower == "si" and following.rstrip(",.") in ("il", "ils"):
            elided = "s'"
        elif lower == "ce" and following in ("est", "était"):
            elided = "c'"
        if elided:
            result += elided.capitalize() if word[0].isupper() else elided
        else:
            result += word + " "
    return result.rstrip(" ")


def with_preposition(preposition: str, noun_phrase: str) -> str:
    """Put a preposition before a noun phrase, contracting à and de with the articles le and les.

    The preposition may be longer (``près de``, ``jusque à``): its last word contracts. After de the indefinite
    and partitive articles des, du, de la and de l' disappear: j'ai besoin de pain.
    """
    *head, last = preposition.split(" ")
    if last == "de":
        for article in ("de la ", "de l'", "du ", "des ", "de ", "d'"):
            if noun_phrase.startswith(article):
                return join_french(*head, "de", noun_phrase[len(article) :])
    article, _, rest = noun_phrase.partition(" ")
    if (last, article) in CONTRACTIONS:
        return join_french(*head, CONTRACTIONS[last, article], rest)
    return join_french(preposition, noun_phrase)


def join_english(*parts: str) -> str:
    """Join the non-empty parts with single spaces."""
    return " ".join(part for part in parts if part)


def indefinite_article(english: str) -> str:
    """Choose a or an for the word that follows, by its sound rather than its letter."""
    word = english.split(" ")[0]
    if word.startswith(("hour", "honest")):
        return "an"
    if word.startswith(("uni", "use", "Euro", "euro", "one")):
        return "a"
    return "an" if word[0] in "aeiouAEIOU" else "a"


def capitalise(text: str) -> str:
    """Raise the first letter and leave the others as they are."""
    return text[0].upper() + text[1:]


def finish_english(text: str, mark: str) -> str:
    """Make a sentence: capital and end mark, which English sets close to the word."""
    return capitalise(text) + mark


def finish_french(text: str, mark: str) -> str:
    """Make a sentence: capital and end mark, with a space before every mark of two parts."""
    return capitalise(text) + (mark if mark == "." else " " + mark)
