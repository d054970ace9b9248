"""Verbs with the objects they take, as English | French | determiners | uses | objects.

Determiners: t the, a a or some, s some (plural or mass), d this, m my, n a number. Uses: P past, F future and
infinitive, C present continuous. Objects are classes of nouns, or single nouns after =.
"""

from dataclasses import dataclass

from tools.phrasebook.clauses import Verb
from tools.phrasebook.lexicon.nouns import BY_ENGLISH, nouns_of
from tools.phrasebook.noun_phrases import Noun

TRANSITIVE_TABLE = """
buy | acheter | a d | PFC | ware clothes
buy | acheter | s | PFC | =stamp,postcard,ticket,present,toy,book,newspaper
buy | acheter | s | PFC | fruit many massfood massdrink
book | réserver | a | PFC | bookable
look for | chercher | m | PC | losable
look for | chercher | t | PC | public
look for | chercher | a | C | near lodging
find | trouver | m | PF | losable
lose | perdre | m | P | losable
forget | oublier | m | P | losable
leave | laisser | m | P | losable
visit | visiter | t | PFC | sight
see | voir | t d | PF | sight show
eat | manger | a | PFC | snack dish
eat | manger | s | PFC | fruit massfood
drink | boire | a | PFC | drink
drink | boire | s | PFC | massdrink
order | commander | a | PFC | dish drink
taste | goûter | t d | PF | dish finedrink
try on | essayer | t d | PFC | clothes
wear | porter | a | C | worn
put on | mettre | m | PFC | worn
rent | louer | a | PFC | rentable
take | prendre | t | PFC | ridden
miss | rater | t m | P | transport
wait for | attendre | t | PC | transport
wait for | attendre | m | PFC | friend family
call | appeler | t a | PFC | called
call | appeler | m | PFC | family friend
phone | téléphoner à | m | PFC | family friend parents
speak to | parler à | t | PFC | profession
speak to | parler à | m | PFC | family friend parents
answer | répondre à | m | PF | friend family
thank | remercier | t | PF | profession
help | aider | m | PFC | family friend parents
meet | rencontrer | m | PF | friend
invite | inviter | m | PF | friend family parents
pay | payer | t | PF | paid
cancel | annuler | m t | PFC | cancelled
send | envoyer | a s | PFC | sent
receive | recevoir | a | P | sent
write | écrire | a s | PFC | =postcard,letter
read | lire | t d a | PFC | readable
watch | regarder | t a d | PFC | show
open | ouvrir | t | PFC | openable
close | fermer | t | PFC | =door,window
repair | réparer | m t | PFC | repairable
wash | laver | m t | PFC | =shirt,dress,trousers,socks,jumper,skirt,car,swimsuit
clean | nettoyer | t | PFC | =bathroom,room,shower,table,toilets
choose | choisir | a | PFC | sweetdish dish present
use | utiliser | t d | PF | =computer,phone,hair dryer,coffee machine,lift,swimming pool,car park
sign | signer | t d | PF | form
fill in | remplir | t d | PFC | form
break | casser | a | P | breakable
sell | vendre | m | PFC | vehicle repairable
change | changer | s | PFC | =money
prepare | préparer | t | PFC | =breakfast,meal,dessert,salad,fish,chicken
hear | entendre | t | P | =train,music,plane
"""

# English | French | English complements | French complements | uses; complements are separated by semicolons.
INTRANSITIVE_TABLE = """
sleep | dormir | at the hotel; in the car; here | à l'hôtel; dans la voiture; ici | PF
work | travailler | at the hospital; at home; in town | à l'hôpital; à la maison; en ville | PFC
leave | partir | early; by car; by train; late | tôt; en voiture; en train; tard | PFC
go out | sortir | ; with some friends; with the children | ; avec des amis; avec les enfants | PFC
come back | revenir | ; by bus; by train; on foot | ; en bus; en train; à pied | PFC
go home | rentrer | ; by taxi; on foot; early; late | ; en taxi; à pied; tôt; tard | PFC
stay | rester | here; at the hotel; at home; with the children | ici; à l'hôtel; à la maison; avec les enfants | PFC
rest | se reposer | ; in the garden; at the hotel | ; dans le jardin; à l'hôtel | PFC
get up | se lever | early; late; very early | tôt; tard; très tôt | PF
go to bed | se coucher | early; late; very late | tôt; tard; très tard | PF
wake up | se réveiller | early; late | tôt; tard | PF
go for a walk | se promener | ; in the park; in town; by the sea | ; dans le parc; en ville; au bord de la mer | PFC
get dressed | s'habiller | ; quickly | ; vite | FC
hurry | se dépêcher | | | F
swim | nager | in the sea; in the lake | dans la mer; dans le lac | PFC
wait | attendre | here; outside; at reception | ici; dehors; à la réception | PFC
pay | payer | by card; in cash | par carte; en espèces | PFC
smoke | fumer | ; here; outside | ; ici; dehors | F
dance | danser | ; all night | ; toute la nuit | PF
walk | marcher | along the beach; in the forest | le long de la plage; dans la forêt | PFC
travel | voyager | by train; by car; by plane | en train; en voiture; en avion | PFC
have breakfast | prendre le petit déjeuner | ; at the hotel; in the room | ; à l'hôtel; dans la chambre | PFC
have lunch | déjeuner | ; at the restaurant; in town; outside | ; au restaurant; en ville; dehors | PFC
have dinner | dîner | ; at the restaurant; in town; at home | ; au restaurant; en ville; à la maison | PFC
do the shopping | faire les courses | ; at the market; at the supermarket | ; au marché; au supermarché | PFC
take the children | emmener les enfants | to the zoo; to the beach; to school | au zoo; à la plage; à l'école | PFC
play football | jouer au football | ; on the beach; in the park | ; sur la plage; dans le parc | PFC
play tennis | jouer au tennis | ; in the park; with some friends | ; dans le parc; avec des amis | PFC
watch television | regarder la télévision | ; in the room | ; dans la chambre | PFC
listen to the radio | écouter la radio | ; in the car | ; dans la voiture | PFC
cook | faire la cuisine | ; at home | ; à la maison | PFC
have a picnic | pique-niquer | ; in the park; on the beach | ; dans le parc; sur la plage | PFC
drive | conduire | ; at night; in town | ; la nuit; en ville | F
arrive | arriver | early; late; by plane | tôt; tard; en avion | PF
go back | retourner | to the hotel; to the museum; to the beach | à l'hôtel; au musée; à la plage | PFC
"""


# Nouns of a fitting class that a verb does not take all the same.
UNSUITED = {"visit": ("bridge",), "eat": ("lemon", "butter", "jam")}


@dataclass(frozen=True)
class Frame:
    """A verb with one set of objects and determiners."""

    verb: Verb
    determiners: tuple[str, ...]
    uses: str
    objects: tuple[Noun, ...]


@dataclass(frozen=True)
class Activity:
    """An intransitive expression with its possible complements; French words after the verb stay with it."""

    verb: Verb
    fixed: str
    complements: tuple[tuple[str, str], ...]
    uses: str


def read_verb(english: str, french: str) -> Verb:
    """Make a verb; a trailing à or de is the preposition of its object."""
    for preposition in ("à", "de"):
        if french.endswith(f" {preposition}"):
            return Verb(english, french.removesuffix(f" {preposition}"), preposition)
    return Verb(english, french)


def read_frame(line: str) -> Frame:
    """Read one line of the transitive table."""
    english, french, determiners, uses, objects = (field.strip() for field in line.split("|"))
    if objects.startswith("="):
        nouns = tuple(BY_ENGLISH[word] for word in objects[1:].split(","))
    else:
        nouns = nouns_of(*objects.split())
    nouns = tuple(noun for noun in nouns if noun.english not in UNSUITED.get(english, ()))
    return Frame(read_verb(english, french), tuple(determiners.split()), uses, nouns)


def read_activity(line: str) -> Activity:
    """Read one line of the intransitive table; what follows the French verb is fixed, as in faire les courses."""
    english, french, english_rest, french_rest, uses = (field.strip() for field in line.split("|"))
    head = french
    if french.startswith("se "):
        head = " ".join(french.split(" ")[:2])
    elif not french.startswith("s'"):
        head = french.split(" ")[0]
    complements = zip(english_rest.split(";"), french_rest.split(";"), strict=True)
    return Activity(
        Verb(english, head),
        french.removeprefix(head).strip(),
        tuple((first.strip(), second.strip()) for first, second in complements),
        uses,
    )


FRAMES = tuple(read_frame(line) for line in TRANSITIVE_TABLE.strip().splitlines())
ACTIVITIES = tuple(read_activity(line) for line in INTRANSITIVE_TABLE.strip().splitlines())
