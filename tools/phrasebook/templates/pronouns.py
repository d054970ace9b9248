"""Object pronouns and relative clauses, where the participle agrees with what stands before it."""

from tools.phrasebook.clauses import (
    CONTINUOUS,
    GOING_TO,
    PERFECT,
    SIMPLE_PAST,
    Pronoun,
    Verb,
    VerbPhrase,
    english_clause,
    french_clause,
)
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import ATTRIBUTIVE
from tools.phrasebook.lexicon.nouns import nouns_of
from tools.phrasebook.lexicon.people import HE, SHE, THEY, WE, I
from tools.phrasebook.lexicon.verbs import FRAMES
from tools.phrasebook.modals import (
    CAN,
    WANT,
    WOULD_LIKE,
    english_modal,
    french_modal,
)
from tools.phrasebook.noun_phrases import NounPhrase, Tag, noun_phrase
from tools.phrasebook.numerals import english_number, french_number
from tools.phrasebook.orthography import capitalise, join_french
from tools.phrasebook.sentences import Pair, question, statement, two_sentences
from tools.phrasebook.templates.directions import be
from tools.phrasebook.verb_choices import FUTURE_TIMES, LEFT_PLACES, PAST_TIMES, with_time

# Verbs whose objects one speaks of again, with the classes of things.
THINGS = tuple(
    frame
    for frame in FRAMES
    if "P" in frame.uses
    and frame.verb.english
    in (
        "buy",
        "lose",
        "find",
        "forget",
        "leave",
        "visit",
        "see",
        "try on",
        "read",
        "repair",
        "wash",
        "send",
        "sign",
        "fill in",
        "pay",
        "book",
        "order",
        "open",
        "close",
        "clean",
        "sell",
        "rent",
        "receive",
        "write",
        "cancel",
    )
)


def standing_for(phrase: NounPhrase) -> Pronoun:
    """Return it or them for a thing, with the French gender and number of the noun it stands for."""
    word = "them" if phrase.english_plural else "it"
    return Pronoun(word, (phrase.clitic,), phrase.gender, phrase.plural)


def construction(verb: Verb, *names: str) -> tuple[Tag, ...]:
    """Tag the meeting of a verb with one construction or more."""
    return tuple(("construction", verb.english, name) for name in names)


def thing_asked(draw: Draw) -> Pair | None:
    """Where are the keys? I left them in the room: je les ai laissées."""
    frame = draw.one(THINGS)
    subject = draw.one((I, I, WE, HE, SHE))
    entry = draw.one(frame.objects)
    if entry.number == "mass" or entry.classes & {"fruit", "many"}:
        return None
    place = frame.verb.english == "visit" or "public" in entry.classes
    owned = frame.verb.english in ("lose", "find", "forget", "leave", "repair", "wash", "sell")
    phrase = noun_phrase(
        entry,
        "my" if owned else "the",
        bool(entry.classes & {"ware", "clothes", "sent"}) and not place and draw.chance(0.25),
        (),
        0,
        subject.person if owned and subject in (I, WE) else 4,
    )
    if owned and subject in (HE, SHE):
        phrase = noun_phrase(entry, "my", False, (), 0, 2, subject.owner_gender)
    action = VerbPhrase(frame.verb, pronoun=standing_for(phrase))
    english_be, french_be = be(phrase)
    first = draw.one(
        (
            question(f"where {english_be} {phrase.english}", f"où {french_be} {phrase.french}"),
            question(phrase.english, phrase.french),
        )
    )
    if place or frame.verb.english in (
        "find",
        "see",
        "try on",
        "book",
        "order",
        "rent",
        "cancel",
        "receive",
        "open",
        "close",
    ):
        first = question(phrase.english, phrase.french)
    if frame.verb.english == "leave":
        action = with_time(action, draw.one(LEFT_PLACES))
        kind = 0
    else:
        kind = draw.below(5)
    tags, negated = construction(frame.verb, "pronoun"), construction(frame.verb, "pronoun", "negated past")
    if kind > 1:
        first = question(phrase.english, phrase.french)
    if kind in (0, 1):
        if frame.verb.english != "leave":
            action = with_time(action, draw.one((*PAST_TIMES[:4], ("", ""))))
        second = statement(
            english_clause(action, subject, SIMPLE_PAST), french_clause(action, subject, SIMPLE_PAST), tags
        )
    elif kind == 2:
        second = statement(
            english_clause(action, subject, PERFECT, "pas encore"),
            french_clause(action, subject, PERFECT, "pas encore"),
            negated,
        )
        if "F" not in frame.uses:
            second = statement(
                english_clause(action, subject, SIMPLE_PAST, "pas"),
                french_clause(action, subject, SIMPLE_PAST, "pas"),
                negated,
            )
    elif "F" not in frame.uses:
        second = statement(english_clause(action, subject, PERFECT), french_clause(action, subject, PERFECT), tags)
    elif kind == 3:
        action = with_time(action, draw.one(FUTURE_TIMES[:6]))
        second = statement(english_clause(action, subject, GOING_TO), french_clause(action, subject, GOING_TO), tags)
    else:
        modal = draw.one((CAN, WANT))
        negation = draw.one(("pas", ""))
        second = statement(
            english_modal(modal, subject, action, negation),
            french_modal(modal, subject, action, negation),
            tags + construction(frame.verb, "negated modal" if negation else "modal"),
        )
    return two_sentences(first, second)


def cannot_find(draw: Draw) -> Pair:
    """I have lost my key and I cannot find it."""
    subject = draw.one((I, I, WE, HE, SHE))
    entry = draw.one(nouns_of("losable"))
    phrase = noun_phrase(entry, "my", False, (), 0, subject.person, subject.owner_gender)
    losing = VerbPhrase(Verb("lose", "perdre"), phrase)
    finding = VerbPhrase(Verb("find", "trouver"), pronoun=standing_for(phrase))
    kind = draw.below(3)
    if kind == 0:
        looking = VerbPhrase(Verb("look for", "chercher"), phrase)
        second = english_modal(CAN, subject, finding, "pas"), french_modal(CAN, subject, finding, "pas")
        return statement(
            f"{english_clause(looking, subject, CONTINUOUS)}, but {second[0]}",
            f"{french_clause(looking, subject, CONTINUOUS)}, mais {second[1]}",
        )
    if kind == 1:
        second = english_modal(CAN, subject, finding, "pas"), french_modal(CAN, subject, finding, "pas")
    else:
        second = (
            english_clause(finding, subject, SIMPLE_PAST, "pas"),
            french_clause(finding, subject, SIMPLE_PAST, "pas"),
        )
    if kind == 2:
        looked = VerbPhrase(Verb("look for", "chercher"), phrase)
        return statement(
            f"{english_clause(looked, subject, SIMPLE_PAST)}, but {second[0]}",
            f"{french_clause(looked, subject, SIMPLE_PAST)}, mais {second[1]}",
        )
    return statement(
        f"{english_clause(losing, subject, PERFECT)} and {second[0]}",
        f"{french_clause(losing, subject, PERFECT)} et {second[1]}",
    )


def like_and_take(draw: Draw) -> Pair:
    """I like this dress, I am going to take it; these shoes are too small, I do not want them."""
    entry = draw.one(nouns_of("clothes", "costly"))
    phrase = noun_phrase(entry, "this")
    it = standing_for(phrase)
    buying = VerbPhrase(draw.one((Verb("take", "prendre"), Verb("buy", "acheter"))), pronoun=it)
    if draw.chance(0.5):
        start = draw.one((("I like", "j'aime"), ("we like", "nous aimons"), ("I love", "j'adore")))
        subject = WE if start[0].startswith("we") else I
        opening = f"{start[0]} {phrase.english}", f"{start[1]} {phrase.french}"
        if draw.chance(0.5):
            rest = english_clause(buying, subject, GOING_TO), french_clause(buying, subject, GOING_TO)
            return statement(
                f"{opening[0]} and {rest[0]}", f"{opening[1]} et {rest[1]}", construction(buying.verb, "pronoun")
            )
        rest = english_modal(WOULD_LIKE, subject, buying), french_modal(WOULD_LIKE, subject, buying)
        return statement(
            f"{opening[0]} and {rest[0]}", f"{opening[1]} et {rest[1]}", construction(buying.verb, "pronoun")
        )
    adjective = ATTRIBUTIVE["expensive"]
    verb = be(phrase)
    form = adjective.form(phrase.gender, phrase.plural)
    negation = draw.chance(0.6)
    rest = (
        (english_clause(buying, I, GOING_TO, "pas"), french_clause(buying, I, GOING_TO, "pas"))
        if negation
        else (english_modal(CAN, I, buying, "pas"), french_modal(CAN, I, buying, "pas"))
    )
    return statement(
        f"{phrase.english} {verb[0]} too expensive, {rest[0]}",
        f"{phrase.french} {verb[1]} trop {form}, {rest[1]}",
        (
            ("adjective", "expensive", entry.english),
            *construction(buying.verb, "pronoun", "negated future" if negation else "negated modal"),
        ),
    )


def there_and_some(draw: Draw) -> Pair:
    """I am going there tomorrow: j'y vais. I would like two of them: j'en voudrais deux."""
    kind = draw.below(4)
    if kind == 0:
        subject, finite = draw.one(((I, "vais"), (WE, "allons"), (HE, "va"), (SHE, "va"), (THEY, "vont")))
        time = draw.one(FUTURE_TIMES[:9])
        from_where = draw.one(nouns_of("public"))
        place = noun_phrase(from_where, "the")
        clause = (
            f"{subject.english} {subject.be} going there {time[0]}",
            join_french(subject.french, "y", finite, time[1]),
        )
        if draw.chance(0.5):
            return two_sentences(
                question(f"do you know {place.english}", f"connaissez-vous {place.french}"), statement(*clause)
            )
        return statement(*clause)
    entry = draw.one(nouns_of("fruit", "ware", "snack"))
    count = draw.between(2, 6 if "fruit" in entry.classes else 3)
    if kind == 1:
        plural = noun_phrase(entry, "some", True) if entry.number == "count" else noun_phrase(entry, "some")
        first = question(
            f"do you have {plural.english.replace('some ', 'any ')}",
            f"avez-vous {plural.french}",
            (("template", "do you have", entry.english),),
        )
        return (
            two_sentences(
                first,
                statement(
                    f"I would like {english_number(count)} of them",
                    f"j'en voudrais {french_number(count, entry.gender)}",
                ),
            )
            if entry.number == "count"
            else first
        )
    drink = draw.one(nouns_of("massdrink", "massfood"))
    subject, has = draw.one(((I, "ai"), (WE, "avons"), (THEY, "ont")))
    some = noun_phrase(drink, "some")
    first = question(f"do you have {some.english.replace('some ', 'any ')}", f"avez-vous {some.french}")
    if kind == 2:
        if subject is THEY:
            subject, has = WE, "avons"
        answer = draw.one((("do not have any", "pas"), ("no longer have any", "plus")))
        return two_sentences(
            first,
            statement(
                f"no, {subject.english} {answer[0]}", join_french(f"non, {subject.french}", "ne", "en", has, answer[1])
            ),
        )
    plural_noun = noun_phrase(entry, "how much", entry.number == "count")
    if entry.number != "count":
        return first
    answer_sentence = statement(f"I want {english_number(count)}", f"j'en veux {french_number(count, entry.gender)}")
    return two_sentences(
        question(
            f"{capitalise(plural_noun.english)} do you want",
            f"{plural_noun.french} voulez-vous",
            (("template", "how many", entry.english),),
        ),
        answer_sentence,
    )


TEMPLATES = (
    (thing_asked, 4.0),
    (cannot_find, 1.2),
    (like_and_take, 2.0),
    (there_and_some, 1.5),
)
