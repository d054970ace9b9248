"""Cities, countries, nationalities and languages with the prepositions they take."""

from dataclasses import dataclass

from tools.phrasebook.orthography import join_french, starts_with_vowel_sound, with_preposition

CITIES = (
    *tuple(
        (name, name)
        for name in [
            "Paris",
            "Lyon",
            "Marseille",
            "Nice",
            "Bordeaux",
            "Lille",
            "Nantes",
            "Toulouse",
            "Strasbourg",
            "Rennes",
            "Avignon",
            "Grenoble",
            "Dijon",
            "Rome",
            "Madrid",
            "Berlin",
        ]
    ),
    ("London", "Londres"),
    ("Brussels", "Bruxelles"),
    ("Geneva", "Genève"),
    ("Lisbon", "Lisbonne"),
)
FRENCH_CITIES = CITIES[:13]
# Where planes and boats go, so that nobody sails to Lyon.
AIRPORT_CITIES = tuple(city for city in CITIES if city[0] not in ("Avignon", "Dijon", "Grenoble", "Rennes"))
HARBOUR_CITIES = tuple(city for city in CITIES if city[0] in ("Marseille", "Nice", "Lisbon", "Bordeaux", "Nantes"))
OVERSEAS = ("Canada", "Japan", "Brazil", "Morocco", "the United States", "Ireland")


@dataclass(frozen=True)
class Country:
    """A country; gender f, m or p (plural) decides en, au or aux and de, du or des."""

    english: str
    french: str
    gender: str

    @property
    def definite(self) -> str:
        """Return the name with its article: la France, l'Italie, les États-Unis."""
        return join_french({"f": "la", "m": "le", "p": "les"}[self.gender], self.french)

    @property
    def to(self) -> str:
        """Return the place: en before a feminine or a vowel, au before a masculine, aux before a plural."""
        if self.gender == "f" or (self.gender == "m" and starts_with_vowel_sound(self.french)):
            return f"en {self.french}"
        return with_preposition("à", self.definite)

    @property
    def origin(self) -> str:
        """Return the origin: d'Italie without article for a feminine, du Portugal, des États-Unis."""
        return join_french("de", self.french) if self.gender == "f" else with_preposition("de", self.definite)


def cities_of(vehicle: str) -> tuple[tuple[str, str], ...]:
    """Return the cities a vehicle serves."""
    return {"plane": AIRPORT_CITIES, "flight": AIRPORT_CITIES, "boat": HARBOUR_CITIES}.get(vehicle, CITIES)


COUNTRIES = (
    Country("France", "France", "f"),
    Country("Italy", "Italie", "f"),
    Country("Spain", "Espagne", "f"),
    Country("Germany", "Allemagne", "f"),
    Country("Belgium", "Belgique", "f"),
    Country("Switzerland", "Suisse", "f"),
    Country("England", "Angleterre", "f"),
    Country("Scotland", "Écosse", "f"),
    Country("Ireland", "Irlande", "f"),
    Country("Greece", "Grèce", "f"),
    Country("Portugal", "Portugal", "m"),
    Country("Canada", "Canada", "m"),
    Country("Japan", "Japon", "m"),
    Country("Brazil", "Brésil", "m"),
    Country("Morocco", "Maroc", "m"),
    Country("the United States", "États-Unis", "p"),
    Country("the Netherlands", "Pays-Bas", "p"),
)
# English adjective, masculine, feminine, masculine plural.
NATIONALITIES = (
    ("English", "anglais", "anglaise", "anglais"),
    ("French", "français", "française", "français"),
    ("Irish", "irlandais", "irlandaise", "irlandais"),
    ("Scottish", "écossais", "écossaise", "écossais"),
    ("Spanish", "espagnol", "espagnole", "espagnols"),
    ("German", "allemand", "allemande", "allemands"),
    ("Italian", "italien", "italienne", "italiens"),
    ("Canadian", "canadien", "canadienne", "canadiens"),
    ("American", "américain", "américaine", "américains"),
    ("Belgian", "belge", "belge", "belges"),
    ("Swiss", "suisse", "suisse", "suisses"),
    ("Japanese", "japonais", "japonaise", "japonais"),
)
LANGUAGES = (
    ("French", "français"),
    ("English", "anglais"),
    ("German", "allemand"),
    ("Italian", "italien"),
    ("Spanish", "espagnol"),
    ("Portuguese", "portugais"),
    ("Japanese", "japonais"),
    ("Chinese", "chinois"),
    ("Arabic", "arabe"),
    ("Dutch", "néerlandais"),
)
