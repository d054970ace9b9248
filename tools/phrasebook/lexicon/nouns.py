"""Nouns: English | French | gender | number | classes of meaning.

A slash gives an irregular plural. Number is count, mass, plural (plural in both languages), pair (trousers, pantalon)
or luggage (singular in English, plural in French). Classes say which verbs, adjectives and templates a noun may meet.
"""

from functools import cache

from tools.phrasebook.noun_phrases import Noun

NOUN_TABLE = """
station | gare | f | count | place public
hotel | hôtel | m | count | place public lodging near bookable
museum | musée | m | count | place public sight opens
bank | banque | f | count | place public opens near
pharmacy | pharmacie | f | count | place public opens near shop
hospital | hôpital | m | count | place public near
airport | aéroport | m | count | place public
bus stop/bus stops | arrêt de bus/arrêts de bus | m | count | place near
market | marché | m | count | place public sight
restaurant | restaurant | m | count | place public eatery opens near
café | café | m | count | place eatery near
bakery | boulangerie | f | count | place shop opens near
supermarket | supermarché | m | count | place shop opens near
post office | poste | f | count | place opens
police station | commissariat | m | count | place public
embassy | ambassade | f | count | place
church | église | f | count | place sight
castle | château | m | count | place public sight opens
beach | plage | f | count | place public outdoor
swimming pool | piscine | f | count | place public opens near
park | parc | m | count | place public sight outdoor near opens
theatre | théâtre | m | count | place public
cinema | cinéma | m | count | place public near
library | bibliothèque | f | count | place public opens near
bookshop | librairie | f | count | place shop opens near
town hall | mairie | f | count | place public
tourist office | office de tourisme | m | count | place public opens near
ticket office | guichet | m | count | place inside opens
car park | parking | m | count | place public near
petrol station/petrol stations | station-service/stations-service | f | count | place near
bridge | pont | m | count | place sight
cathedral | cathédrale | f | count | place public sight opens
garden | jardin | m | count | sight outdoor
harbour | port | m | count | place public
zoo | zoo | m | count | place public opens
university | université | f | count | place public
school | école | f | count | place
stadium | stade | m | count | place public
cash machine | distributeur | m | count | place near
campsite | camping | m | count | place lodging near
village | village | m | count | sight outdoor
town | ville | f | count | town
city | ville | f | count | town
lift | ascenseur | m | count | inside device
exit | sortie | f | count | inside
entrance | entrée | f | count | inside
reception | réception | f | count | inside
waiting room/waiting rooms | salle d'attente/salles d'attente | f | count | inside
dining room/dining rooms | salle à manger/salles à manger | f | count | inside
toilets | toilettes | f | plural | inside cleanable near
train | train | m | count | transport ridden
bus | bus | m | count | transport ridden
plane | avion | m | count | transport ridden
boat | bateau | m | count | transport ridden
taxi | taxi | m | count | ridden called
tram | tram | m | count | ridden
underground | métro | m | count | ridden
flight | vol | m | count | transport bookable
car | voiture | f | count | vehicle rentable big coloured repairable owned
bicycle | vélo | m | count | vehicle rentable coloured repairable owned
flat | appartement | m | count | lodging rentable
house | maison | f | count | lodging rentable
room | chambre | f | count | lodging bookable cleanable roomlike
table | table | f | count | bookable roomlike furniture
seat | place | f | count | bookable roomlike
bed | lit | m | count | furniture cleanable
chair | chaise | f | count | furniture
shower | douche | f | count | device cleanable
television | télévision | f | count | device
heating | chauffage | m | mass | device
air conditioning | climatisation | f | mass | device
lamp | lampe | f | count | device
hair dryer/hair dryers | sèche-cheveux/sèche-cheveux | m | count | device owned
coffee machine/coffee machines | machine à café/machines à café | f | count | device
bathroom/bathrooms | salle de bains/salles de bains | f | count | cleanable inroom
window | fenêtre | f | count | openable
door | porte | f | count | openable
towel | serviette | f | count | supply cleanable brought
blanket | couverture | f | count | supply brought
pillow | oreiller | m | count | supply brought
glass | verre | m | count | tableware cleanable brought breakable
plate | assiette | f | count | tableware cleanable brought breakable
knife/knives | couteau | m | count | tableware brought
fork | fourchette | f | count | tableware cleanable brought
spoon | cuillère | f | count | tableware brought
cup | tasse | f | count | tableware brought breakable
ticket | billet | m | count | bookable owned ware losable ordered costly
key | clé | f | count | owned losable ordered
passport | passeport | m | count | owned losable
wallet | portefeuille | m | count | owned losable coloured leathery ware costly
suitcase | valise | f | count | owned losable coloured big heavy openable ware costly
bag | sac | m | count | owned losable coloured big heavy leathery ware
handbag/handbags | sac à main/sacs à main | m | count | owned coloured leathery ware costly dressy
rucksack/rucksacks | sac à dos/sacs à dos | m | count | owned losable coloured heavy ware costly
camera/cameras | appareil photo/appareils photo | m | count | owned losable repairable ware costly
phone | téléphone | m | count | owned losable repairable device
computer | ordinateur | m | count | owned repairable device
charger | chargeur | m | count | owned device ware
umbrella | parapluie | m | count | owned losable coloured ware costly
watch | montre | f | count | owned losable repairable ware costly
ring | bague | f | count | owned losable ware costly
credit card/credit cards | carte de crédit/cartes de crédit | f | count | owned losable
luggage | bagages | m | luggage | owned luggage
glasses | lunettes | f | plural | owned losable repairable breakable
sunglasses | lunettes de soleil | f | plural | owned losable worn
map | plan | m | count | paper ware ordered
guidebook | guide | m | count | readable paper ware
newspaper | journal | m | count | readable paper ordered national
magazine | magazine | m | count | readable paper
book | livre | m | count | readable paper ware
menu | menu | m | count | brought
stamp | timbre | m | count | ordered ware
postcard/postcards | carte postale/cartes postales | f | count | sent letters ordered ware
letter | lettre | f | count | sent letters
parcel | colis | m | count | sent heavy openable
toy | jouet | m | count | ware
present | cadeau | m | count | ware
bill | addition | f | count | brought paid
reservation | réservation | f | count | cancelled
appointment | rendez-vous | m | count | cancelled
dress | robe | f | count | clothes coloured light ware worn fabric dressy
shirt | chemise | f | count | clothes coloured ware worn fabric dressy
jacket | veste | f | count | clothes coloured ware worn leathery warm
coat | manteau | m | count | clothes coloured ware worn warm woolly dressy
jumper | pull | m | count | clothes coloured ware worn warm woolly
skirt | jupe | f | count | clothes coloured light ware worn dressy
hat | chapeau | m | count | clothes coloured ware worn losable dressy
scarf/scarves | écharpe | f | count | clothes coloured ware worn warm woolly dressy
tie | cravate | f | count | coloured ware worn silky costly
trousers | pantalon | m | pair | clothes coloured worn
swimsuit/swimsuits | maillot de bain/maillots de bain | m | count | clothes coloured worn
belt | ceinture | f | count | leathery coloured ware costly
shoes | chaussures | f | plural | clothes coloured worn leathery comfy
boots | bottes | f | plural | clothes coloured worn leathery comfy
sandals | sandales | f | plural | clothes worn leathery comfy
gloves | gants | m | plural | clothes coloured worn leathery losable warm
socks | chaussettes | f | plural | clothes coloured worn woolly warm
coffee | café | m | count | drink hotdrink cup liked
tea | thé | m | count | drink hotdrink cup liked
hot chocolate/hot chocolates | chocolat chaud/chocolats chauds | m | count | drink cup liked
beer | bière | f | count | drink cold liked glass national finedrink
mineral water/mineral waters | eau minérale/eaux minérales | f | count | drink cold bottled
orange juice/orange juices | jus d'orange/jus d'orange | m | count | drink cold glass liked
lemonade | limonade | f | count | drink cold glass liked
water | eau | f | mass | massdrink glass bottled cold temperate
milk | lait | m | mass | massdrink glass cold liked temperate bottled
wine | vin | m | mass | massdrink glass bottled liked national finedrink
cider | cidre | m | mass | massdrink glass bottled cold liked finedrink
bread | pain | m | mass | massfood fresh liked sliced
cheese | fromage | m | mass | massfood liked kilo national sliced
butter | beurre | m | mass | massfood
ham | jambon | m | mass | massfood liked sliced meaty
chicken | poulet | m | mass | massfood liked meaty cooked
fish | poisson | m | mass | massfood fresh liked meaty cooked
meat | viande | f | mass | massfood liked meaty cooked
rice | riz | m | mass | massfood liked kilo cooked
jam | confiture | f | mass | massfood
honey | miel | m | mass | massfood liked
salt | sel | m | mass | seasoning
pepper | poivre | m | mass | seasoning
sugar | sucre | m | mass | seasoning
chocolate | chocolat | m | mass | massfood liked
soap | savon | m | mass | roomsupply
toilet paper | papier toilette | m | mass | roomsupply
hot water | eau chaude | f | mass | flowing
croissant | croissant | m | count | snack baked
sandwich | sandwich | m | count | snack dish
pizza | pizza | f | count | snack dish liked
salad | salade | f | count | dish liked
soup | soupe | f | count | dish liked hotdish
cake | gâteau | m | count | snack baked sweetdish sliced
pancake | crêpe | f | count | snack dish sweetdish
omelette | omelette | f | count | dish liked
steak | steak | m | count | dish
tart | tarte | f | count | baked sweetdish
ice cream/ice creams | glace | f | count | snack sweetdish
baguette | baguette | f | count | baked
yoghurt | yaourt | m | count | snack
apple | pomme | f | count | fruit kilo
orange | orange | f | count | fruit kilo
banana | banane | f | count | fruit kilo
tomato/tomatoes | tomate | f | count | fruit kilo
peach | pêche | f | count | fruit kilo
lemon | citron | m | count | fruit kilo
strawberry | fraise | f | count | fruit kilo many
egg | œuf | m | count | fruit many
potato/potatoes | pomme de terre/pommes de terre | f | count | kilo many
mushroom | champignon | m | count | kilo many
dish/dishes | plat | m | count | meal
meal | repas | m | count | meal
dessert | dessert | m | count | meal sweetdish
breakfast | petit déjeuner/petits déjeuners | m | count | served
film | film | m | count | show
concert | concert | m | count | show event ticketed
match | match | m | count | event show ticketed
exhibition | exposition | f | count | event interesting ticketed
guided tour/guided tours | visite guidée/visites guidées | f | count | event interesting bookable
meeting | réunion | f | count | event cancelled
party | fête | f | count | event
trip | voyage | m | count | trip cancelled
photo | photo | f | count | picture
music | musique | f | mass | listened liked
money | argent | m | mass | money
form | formulaire | m | count | form
contract | contrat | m | count | form
medicine | médicament | m | count | remedy
prescription | ordonnance | f | count | forgotten
doctor | médecin | m | count | profession called
dentist | dentiste | m | count | profession
ambulance | ambulance | f | count | called
waiter | serveur | m | count | profession
waitress | serveuse | f | count | profession
nurse | infirmière | f | count | profession
driver | chauffeur | m | count | profession
teacher | professeur | m | count | profession
lawyer | avocat | m | count | profession
engineer | ingénieur | m | count | profession
journalist | journaliste | m | count | profession
student | étudiant | m | count | profession
cook | cuisinier | m | count | profession
policeman/policemen | policier | m | count | profession
tourist | touriste | m | count | profession
receptionist | réceptionniste | m | count | profession
brother | frère | m | count | family
sister | sœur | f | count | family
mother | mère | f | count | family adult
father | père | m | count | family adult
son | fils | m | count | family childlike
daughter | fille | f | count | family childlike
husband | mari | m | count | family adult
wife/wives | femme | f | count | family adult
grandmother | grand-mère/grands-mères | f | count | family adult
grandfather | grand-père/grands-pères | m | count | family adult
uncle | oncle | m | count | family adult
aunt | tante | f | count | family adult
child/children | enfant | m | count | offspring
friend | ami | m | count | friend
colleague | collègue | m | count | friend
neighbour | voisin | m | count | friend
parents | parents | m | plural | parents
man/men | homme | m | count | human
woman/women | femme | f | count | human
boy | garçon | m | count | human young
girl | fille | f | count | human young
person/people | personne | f | count | heads
adult | adulte | m | count | heads
night | nuit | f | count | duration
day | jour | m | count | duration
week | semaine | f | count | duration
month | mois | m | count | duration
year | an | m | count | duration
hour | heure | f | count | duration
minute | minute | f | count | duration
street | rue | f | count | way outdoor
square | place | f | count | way outdoor
head | tête | f | count | ache
back | dos | m | count | ache
stomach | ventre | m | count | ache
throat | gorge | f | count | ache
knee | genou/genoux | m | count | ache limb
foot/feet | pied | m | count | ache limb
shoulder | épaule | f | count | ache limb
ear | oreille | f | count | ache
hand | main | f | count | ache limb
arm | bras | m | count | limb bone
leg | jambe | f | count | ache limb bone
ankle | cheville | f | count | ache limb
finger | doigt | m | count | limb bone
"""


def english_plural(singular: str) -> str:
    """Form the regular English plural."""
    if singular.endswith(("s", "sh", "ch", "x")):
        return singular + "es"
    if singular.endswith("y") and singular[-2] not in "aeiou":
        return singular[:-1] + "ies"
    return singular + "s"


def french_plural(singular: str) -> str:
    """Form the regular French plural: s, x and z stay, -eau takes x, -al becomes -aux; otherwise s."""
    if singular.endswith(("s", "x", "z")):
        return singular
    if singular.endswith("eau"):
        return singular + "x"
    if singular.endswith("al"):
        return singular[:-2] + "aux"
    first, _, complement = singular.partition(" de ")
    if complement:
        return f"{french_plural(first)} de {complement}"
    return singular + "s"


def read_noun(line: str) -> Noun:
    """Read one line of the table."""
    english, french, gender, number, classes = (field.strip() for field in line.split("|"))
    singular, _, plural = english.partition("/")
    french_singular, _, french_irregular = french.partition("/")
    if number in ("plural", "luggage"):
        french_irregular = french_singular
    if number == "plural" or number == "pair":
        plural = singular
    return Noun(
        english=singular,
        english_plural=plural or english_plural(singular),
        french=french_singular,
        french_plural=french_irregular or french_plural(french_singular),
        gender=gender,
        number=number,
        classes=frozenset(classes.split()),
    )


NOUNS = tuple(read_noun(line) for line in NOUN_TABLE.strip().splitlines())
BY_ENGLISH = {noun.english: noun for noun in NOUNS}


def noun(english: str) -> Noun:
    """Look a noun up by its English singular."""
    return BY_ENGLISH[english]


@cache
def nouns_of(*classes: str) -> tuple[Noun, ...]:
    """Return the nouns that belong to any of the classes, in the order of the table."""
    return tuple(entry for entry in NOUNS if entry.classes & set(classes))
