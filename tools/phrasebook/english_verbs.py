"""English inflection: third person, past, participle and -ing form of the verbs in the phrasebook."""

IRREGULAR = {
    "be": ("was", "been"),
    "have": ("had", "had"),
    "do": ("did", "done"),
    "go": ("went", "gone"),
    "buy": ("bought", "bought"),
    "find": ("found", "found"),
    "lose": ("lost", "lost"),
    "forget": ("forgot", "forgotten"),
    "leave": ("left", "left"),
    "see": ("saw", "seen"),
    "eat": ("ate", "eaten"),
    "drink": ("drank", "drunk"),
    "take": ("took", "taken"),
    "speak": ("spoke", "spoken"),
    "know": ("knew", "known"),
    "meet": ("met", "met"),
    "pay": ("paid", "paid"),
    "send": ("sent", "sent"),
    "write": ("wrote", "written"),
    "read": ("read", "read"),
    "wear": ("wore", "worn"),
    "give": ("gave", "given"),
    "bring": ("brought", "brought"),
    "sell": ("sold", "sold"),
    "choose": ("chose", "chosen"),
    "understand": ("understood", "understood"),
    "hear": ("heard", "heard"),
    "break": ("broke", "broken"),
    "sleep": ("slept", "slept"),
    "come": ("came", "come"),
    "get": ("got", "got"),
    "swim": ("swam", "swum"),
    "fall": ("fell", "fallen"),
    "make": ("made", "made"),
    "say": ("said", "said"),
    "think": ("thought", "thought"),
    "put": ("put", "put"),
    "cut": ("cut", "cut"),
    "drive": ("drove", "driven"),
    "tell": ("told", "told"),
    "show": ("showed", "shown"),
    "learn": ("learnt", "learnt"),
    "burn": ("burnt", "burnt"),
    "wake": ("woke", "woken"),
    "sit": ("sat", "sat"),
    "feel": ("felt", "felt"),
    "hurt": ("hurt", "hurt"),
    "spend": ("spent", "spent"),
    "steal": ("stole", "stolen"),
    "keep": ("kept", "kept"),
}
DOUBLING = frozenset(["stop", "cancel", "travel", "put", "cut", "get", "forget", "swim", "sit", "prefer", "shop"])


def split_particle(verb: str) -> tuple[str, str]:
    """Separate the word that inflects from its particle: look for, get up."""
    head, _, particle = verb.partition(" ")
    return head, f" {particle}" if particle else ""


def third_person(verb: str) -> str:
    """Give the he or she form of the present: buys, watches, carries, has."""
    head, particle = split_particle(verb)
    if head == "have":
        form = "has"
    elif head.endswith(("s", "sh", "ch", "x", "z", "o")):
        form = head + "es"
    elif head.endswith("y") and head[-2] not in "aeiou":
        form = head[:-1] + "ies"
    else:
        form = head + "s"
    return form + particle


def regular_past(head: str) -> str:
    """Add -ed with the usual changes of spelling."""
    if head.endswith("e"):
        return head + "d"
    if head.endswith("y") and head[-2] not in "aeiou":
        return head[:-1] + "ied"
    return head + (head[-1] if head in DOUBLING else "") + "ed"


def past(verb: str) -> str:
    """Give the simple past."""
    head, particle = split_particle(verb)
    return (IRREGULAR[head][0] if head in IRREGULAR else regular_past(head)) + particle


def past_participle(verb: str) -> str:
    """Give the past participle."""
    head, particle = split_particle(verb)
    return (IRREGULAR[head][1] if head in IRREGULAR else regular_past(head)) + particle


def present_participle(verb: str) -> str:
    """Give the -ing form."""
    head, particle = split_particle(verb)
    if head in DOUBLING:
        head += head[-1]
    elif head.endswith("e") and not head.endswith("ee") and head != "be":
        head = head[:-1]
    return head + "ing" + particle
