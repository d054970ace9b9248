"""Talk between friends, marked in English by Hi and a first name: French says tu."""

from tools.phrasebook.clauses import GOING_TO, SIMPLE_PAST, Subject, english_question, french_clause
from tools.phrasebook.draw import Draw
from tools.phrasebook.lexicon.adjectives import PERSONAL
from tools.phrasebook.lexicon.people import MEN, WOMEN
from tools.phrasebook.modals import CAN, COULD, WANT, english_modal_question, french_modal
from tools.phrasebook.orthography import join_french
from tools.phrasebook.sentences import Pair, question
from tools.phrasebook.templates.actions import REQUESTED, SUGGESTED
from tools.phrasebook.verb_choices import FUTURE_TIMES, PAST_TIMES, any_action, with_time

STATES = (("hungry", "faim"), ("thirsty", "soif"), ("cold", "froid"), ("hot", "chaud"))


def informal(draw: Draw) -> Pair:
    """Write pairs like «Hi Marie, are you tired? Salut Marie, est-ce que tu es fatiguée ?»."""
    feminine = draw.chance(0.5)
    name = draw.one(WOMEN if feminine else MEN)
    friend = Subject("you", "tu", 1, "f" if feminine else "m")
    kind = draw.below(5)
    if kind == 0:
        adjective = PERSONAL[draw.one(("tired", "ill", "ready", "happy", "busy", "lost", "free"))]
        body = f"are you {adjective.english}", f"tu es {adjective.form(friend.gender, False)}"
        if draw.chance(0.4):
            state = draw.one(STATES)
            body = f"are you {state[0]}", f"tu as {state[1]}"
    elif kind == 1:
        phrase = any_action(draw, "P", friend, 0.0, SUGGESTED)
        if draw.chance(0.5):
            phrase = with_time(phrase, draw.one(PAST_TIMES[:6]))
        body = english_question(phrase, friend, SIMPLE_PAST), french_clause(phrase, friend, SIMPLE_PAST)
    elif kind == 2:
        phrase = any_action(draw, "F", friend, 0.0, SUGGESTED)
        if draw.chance(0.5):
            phrase = with_time(phrase, draw.one(FUTURE_TIMES))
        body = english_question(phrase, friend, GOING_TO), french_clause(phrase, friend, GOING_TO)
    else:
        modal = draw.one((CAN, COULD, WANT))
        phrase = any_action(draw, "F", friend, 0.0, SUGGESTED if modal is WANT else REQUESTED)
        body = english_modal_question(modal, friend, phrase), french_modal(modal, friend, phrase)
    return question(f"hi {name}, {body[0]}", join_french(f"salut {name}, est-ce que", body[1]))


TEMPLATES = ((informal, 2.5),)
