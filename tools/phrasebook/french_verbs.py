"""French conjugation: the tenses of the phrasebook for regular, spelling-changing and irregular verbs.

Persons are numbered 0 to 5: je, tu, il or elle, nous, vous, ils or elles.
"""

from functools import cache

BE_VERBS = frozenset(
    [
        "aller",
        "venir",
        "revenir",
        "arriver",
        "partir",
        "repartir",
        "sortir",
        "entrer",
        "rester",
        "tomber",
        "monter",
        "descendre",
        "rentrer",
        "retourner",
        "naître",
        "mourir",
        "devenir",
    ]
)

# Present forms in the order of the persons.
IRREGULAR_PRESENT = {
    "être": "suis es est sommes êtes sont",
    "avoir": "ai as a avons avez ont",
    "aller": "vais vas va allons allez vont",
    "faire": "fais fais fait faisons faites font",
    "dire": "dis dis dit disons dites disent",
    "prendre": "prends prends prend prenons prenez prennent",
    "comprendre": "comprends comprends comprend comprenons comprenez comprennent",
    "apprendre": "apprends apprends apprend apprenons apprenez apprennent",
    "venir": "viens viens vient venons venez viennent",
    "revenir": "reviens reviens revient revenons revenez reviennent",
    "partir": "pars pars part partons partez partent",
    "repartir": "repars repars repart repartons repartez repartent",
    "sortir": "sors sors sort sortons sortez sortent",
    "dormir": "dors dors dort dormons dormez dorment",
    "servir": "sers sers sert servons servez servent",
    "sentir": "sens sens sent sentons sentez sentent",
    "vouloir": "veux veux veut voulons voulez veulent",
    "pouvoir": "peux peux peut pouvons pouvez peuvent",
    "devoir": "dois dois doit devons devez doivent",
    "savoir": "sais sais sait savons savez savent",
    "connaître": "connais connais connaît connaissons connaissez connaissent",
    "voir": "vois vois voit voyons voyez voient",
    "boire": "bois bois boit buvons buvez boivent",
    "lire": "lis lis lit lisons lisez lisent",
    "écrire": "écris écris écrit écrivons écrivez écrivent",
    "mettre": "mets mets met mettons mettez mettent",
    "ouvrir": "ouvre ouvres ouvre ouvrons ouvrez ouvrent",
    "conduire": "conduis conduis conduit conduisons conduisez conduisent",
    "recevoir": "reçois reçois reçoit recevons recevez reçoivent",
    "suivre": "suis suis suit suivons suivez suivent",
    "asseoir": "assieds assieds assied asseyons asseyez asseyent",
    "pleuvoir": "_ _ pleut _ _ _",
    "falloir": "_ _ faut _ _ _",
}
IRREGULAR_PARTICIPLE = {
    "être": "été",
    "avoir": "eu",
    "faire": "fait",
    "dire": "dit",
    "prendre": "pris",
    "comprendre": "compris",
    "apprendre": "appris",
    "venir": "venu",
    "revenir": "revenu",
    "vouloir": "voulu",
    "pouvoir": "pu",
    "devoir": "dû",
    "savoir": "su",
    "connaître": "connu",
    "voir": "vu",
    "boire": "bu",
    "lire": "lu",
    "écrire": "écrit",
    "mettre": "mis",
    "ouvrir": "ouvert",
    "conduire": "conduit",
    "recevoir": "reçu",
    "suivre": "suivi",
    "asseoir": "assis",
    "pleuvoir": "plu",
    "falloir": "fallu",
}
IRREGULAR_FUTURE_STEM = {
    "être": "ser",
    "avoir": "aur",
    "aller": "ir",
    "faire": "fer",
    "venir": "viendr",
    "revenir": "reviendr",
    "vouloir": "voudr",
    "pouvoir": "pourr",
    "devoir": "devr",
    "savoir": "saur",
    "voir": "verr",
    "envoyer": "enverr",
    "recevoir": "recevr",
    "pleuvoir": "pleuvr",
    "falloir": "faudr",
}
IRREGULAR_IMPERATIVE = {
    "être": "_ sois _ soyons soyez _",
    "avoir": "_ aie _ ayons ayez _",
    "savoir": "_ sache _ sachons sachez _",
}
ENDINGS_IMPERFECT = ["ais", "ais", "ait", "ions", "iez", "aient"]


def stressed_stem(infinitive: str) -> str:
    """Give the stem of an -er verb before a mute ending: achèt-, préfèr-, appell-, pai-."""
    stem = infinitive.removesuffix("er")
    if infinitive in ("appeler", "rappeler", "jeter"):
        return stem + stem[-1]
    if stem.endswith("y"):
        return stem[:-1] + "i"
    if len(stem) > 2 and stem[-2] in "eé" and stem[-1] not in "aeiouyégc" and stem[-3] not in "aeiou":
        return stem[:-2] + "è" + stem[-1]
    return stem


@cache
def present(infinitive: str, person: int) -> str:
    """Conjugate in the present indicative."""
    if infinitive in IRREGULAR_PRESENT:
        return IRREGULAR_PRESENT[infinitive].split()[person]
    stem = infinitive[:-2]
    if infinitive.endswith("er"):
        ending = ["e", "es", "e", "ons", "ez", "ent"][person]
        if person == 3:
            stem = stem + "e" if stem.endswith("g") else stem.removesuffix("c") + "ç" if stem.endswith("c") else stem
        elif person != 4:
            stem = stressed_stem(infinitive)
        return stem + ending
    if infinitive.endswith("ir"):
        return stem + ["is", "is", "it", "issons", "issez", "issent"][person]
    return (stem + ["s", "s", "_", "ons", "ez", "ent"][person]).removesuffix("_")


@cache
def participle(infinitive: str, gender: str = "m", plural: bool = False) -> str:
    """Give the past participle, agreeing in gender and number."""
    if infinitive in IRREGULAR_PARTICIPLE:
        base = IRREGULAR_PARTICIPLE[infinitive]
    else:
        base = infinitive[:-2] + {"er": "é", "ir": "i", "re": "u"}[infinitive[-2:]]
    base = base.replace("û", "u") if gender == "f" or plural else base
    base += "e" if gender == "f" else ""
    return base + ("s" if plural and not base.endswith("s") else "")


@cache
def imperfect(infinitive: str, person: int) -> str:
    """Conjugate in the imperfect: the stem of the nous form, except ét- for être."""
    if infinitive in ("pleuvoir", "falloir"):
        return {"pleuvoir": "pleuvait", "falloir": "fallait"}[infinitive]
    stem = "ét" if infinitive == "être" else present(infinitive, 3).removesuffix("ons")
    if person in (3, 4):
        stem = stem.removesuffix("e") if stem.endswith("ge") else stem.replace("ç", "c")
    return stem + ENDINGS_IMPERFECT[person]


@cache
def conditional(infinitive: str, person: int) -> str:
    """Conjugate in the present conditional: the future stem with the endings of the imperfect."""
    if infinitive in IRREGULAR_FUTURE_STEM:
        stem = IRREGULAR_FUTURE_STEM[infinitive]
    elif infinitive.endswith("er"):
        stem = infinitive if "é" in infinitive[-4:] else stressed_stem(infinitive) + "er"
    else:
        stem = infinitive.removesuffix("e")
    return stem + ENDINGS_IMPERFECT[person]


@cache
def imperative(infinitive: str, person: int) -> str:
    """Give the imperative of tu (1), nous (3) or vous (4); -er verbs drop the s of tu."""
    if infinitive in IRREGULAR_IMPERATIVE:
        return IRREGULAR_IMPERATIVE[infinitive].split()[person]
    form = present(infinitive, person)
    return form.removesuffix("s") if person == 1 and infinitive.endswith(("er", "ouvrir")) else form


def auxiliary(infinitive: str) -> str:
    """Name the auxiliary of the passé composé; reflexive verbs are handled by the clause."""
    return "être" if infinitive in BE_VERBS else "avoir"
