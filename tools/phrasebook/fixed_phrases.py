"""Everyday phrases and courtesies that always stand in the training part, as English | French."""

FIXED_PHRASES = """
Hello. | Bonjour.
Hello! | Bonjour !
Hello, sir. | Bonjour, monsieur.
Hello, madam. | Bonjour, madame.
Good morning. | Bonjour.
Good morning, madam. | Bonjour, madame.
Good morning, sir. | Bonjour, monsieur.
Good afternoon. | Bonjour.
Good evening. | Bonsoir.
Good evening, madam. | Bonsoir, madame.
Good evening, sir. | Bonsoir, monsieur.
Good night. | Bonne nuit.
Good night, sleep well. | Bonne nuit, dormez bien.
Goodbye. | Au revoir.
Goodbye, sir. | Au revoir, monsieur.
Goodbye, madam. | Au revoir, madame.
Goodbye and thank you. | Au revoir et merci.
See you tomorrow. | À demain.
See you soon. | À bientôt.
See you later. | À plus tard.
See you on Monday. | À lundi.
See you this evening. | À ce soir.
Yes. | Oui.
No. | Non.
Yes, please. | Oui, s'il vous plaît.
No, thank you. | Non, merci.
Please. | S'il vous plaît.
Thank you. | Merci.
Thanks. | Merci.
Thank you very much. | Merci beaucoup.
Thank you, sir. | Merci, monsieur.
Thank you, madam. | Merci, madame.
Thank you for your help. | Merci pour votre aide.
Thank you for everything. | Merci pour tout.
Thank you, that is very kind. | Merci, c'est très gentil.
You're welcome. | Je vous en prie.
You are welcome. | Je vous en prie.
Don't mention it. | Il n'y a pas de quoi.
Excuse me. | Excusez-moi.
Excuse me, sir. | Excusez-moi, monsieur.
Excuse me, madam. | Excusez-moi, madame.
I'm sorry. | Je suis désolé.
I am sorry. | Je suis désolé.
I'm very sorry. | Je suis vraiment désolé.
I am very sorry. | Je suis vraiment désolé.
Sorry! | Pardon !
It doesn't matter. | Ce n'est pas grave.
It does not matter. | Ce n'est pas grave.
No problem. | Pas de problème.
Of course. | Bien sûr.
With pleasure. | Avec plaisir.
All right. | D'accord.
That's right. | C'est exact.
That is right. | C'est exact.
That's fine. | C'est bien.
That's perfect. | C'est parfait.
Perhaps. | Peut-être.
I don't know. | Je ne sais pas.
I do not know. | Je ne sais pas.
I don't understand. | Je ne comprends pas.
I do not understand. | Je ne comprends pas.
I understand. | Je comprends.
I don't understand the question. | Je ne comprends pas la question.
Do you understand? | Comprenez-vous ?
Could you repeat that, please? | Pourriez-vous répéter, s'il vous plaît ?
Can you repeat that, please? | Pouvez-vous répéter, s'il vous plaît ?
Could you speak more slowly, please? | Pourriez-vous parler plus lentement, s'il vous plaît ?
Can you speak more slowly, please? | Pouvez-vous parler plus lentement, s'il vous plaît ?
Could you write it down, please? | Pourriez-vous l'écrire, s'il vous plaît ?
How do you say that in French? | Comment dit-on ça en français ?
What does this word mean? | Que veut dire ce mot ?
What does that mean? | Qu'est-ce que ça veut dire ?
I speak a little French. | Je parle un peu français.
I don't speak French. | Je ne parle pas français.
I do not speak French. | Je ne parle pas français.
I don't speak French very well. | Je ne parle pas très bien français.
Do you speak English? | Parlez-vous anglais ?
Excuse me, do you speak English? | Excusez-moi, parlez-vous anglais ?
Does anyone here speak English? | Est-ce que quelqu'un ici parle anglais ?
How are you? | Comment allez-vous ?
I'm fine, thank you. | Je vais bien, merci.
I am fine, thank you. | Je vais bien, merci.
I'm very well, thank you, and you? | Je vais très bien, merci, et vous ?
I am very well, thank you, and you? | Je vais très bien, merci, et vous ?
Very well, thank you. | Très bien, merci.
Hi Paul, how are you? | Salut Paul, comment vas-tu ?
Hi Marie, how are you? | Salut Marie, comment vas-tu ?
What is your name? | Comment vous appelez-vous ?
What's your name? | Comment vous appelez-vous ?
My name is Anna. | Je m'appelle Anna.
My name is David. | Je m'appelle David.
Pleased to meet you. | Enchanté.
I am delighted to meet you. | Je suis ravi de vous rencontrer.
I'm delighted to meet you. | Je suis ravi de vous rencontrer.
Where do you come from? | D'où venez-vous ?
Where are you from? | D'où venez-vous ?
I come from England. | Je viens d'Angleterre.
I am from England. | Je viens d'Angleterre.
Where do you live? | Où habitez-vous ?
I live in London. | J'habite à Londres.
How old are you? | Quel âge avez-vous ?
What do you do for a living? | Que faites-vous dans la vie ?
Are you married? | Êtes-vous marié ?
Are you married, madam? | Êtes-vous mariée, madame ?
Are you ready? | Êtes-vous prêt ?
Are you ready, sir? | Êtes-vous prêt, monsieur ?
Are you ready, madam? | Êtes-vous prête, madame ?
Are you tired? | Êtes-vous fatigué ?
Are you tired, madam? | Êtes-vous fatiguée, madame ?
I'm on holiday. | Je suis en vacances.
I am on holiday. | Je suis en vacances.
We are on holiday. | Nous sommes en vacances.
I am here on business. | Je suis ici pour affaires.
It is my first time in France. | C'est la première fois que je viens en France.
Welcome! | Bienvenue !
Welcome to France. | Bienvenue en France.
Come in! | Entrez !
Sit down, please. | Asseyez-vous, s'il vous plaît.
Enjoy your meal! | Bon appétit !
Cheers! | Santé !
Have a good trip! | Bon voyage !
Have a good day! | Bonne journée !
Have a good evening! | Bonne soirée !
Have a good weekend! | Bon week-end !
Good luck! | Bonne chance !
Happy birthday! | Joyeux anniversaire !
Congratulations! | Félicitations !
Happy New Year! | Bonne année !
Merry Christmas! | Joyeux Noël !
Help! | Au secours !
Fire! | Au feu !
Stop, thief! | Au voleur !
Look out! | Attention !
Be careful! | Faites attention !
Hurry up! | Dépêchez-vous !
Wait! | Attendez !
Call the police! | Appelez la police !
Call the police, please. | Appelez la police, s'il vous plaît.
Call an ambulance! | Appelez une ambulance !
Call a doctor, please. | Appelez un médecin, s'il vous plaît.
It's an emergency. | C'est une urgence.
It is an emergency. | C'est une urgence.
I am ill. | Je suis malade.
I'm ill. | Je suis malade.
I don't feel well. | Je ne me sens pas bien.
I do not feel well. | Je ne me sens pas bien.
I feel better. | Je me sens mieux.
It hurts here. | J'ai mal ici.
I need a doctor. | J'ai besoin d'un médecin.
I need help. | J'ai besoin d'aide.
Can you help me? | Pouvez-vous m'aider ?
Can you help me, please? | Pouvez-vous m'aider, s'il vous plaît ?
Could you help me, please? | Pourriez-vous m'aider, s'il vous plaît ?
Excuse me, can you help me? | Excusez-moi, pouvez-vous m'aider ?
I'm lost. | Je suis perdu.
I am lost. | Je suis perdu.
We are lost. | Nous sommes perdus.
I have lost my passport. | J'ai perdu mon passeport.
I've lost my passport. | J'ai perdu mon passeport.
I have lost my key. | J'ai perdu ma clé.
I've lost my key. | J'ai perdu ma clé.
I lost my key. | J'ai perdu ma clé.
Someone has stolen my bag. | On m'a volé mon sac.
Where is the station? | Où est la gare ?
Where is the station, please? | Où est la gare, s'il vous plaît ?
Where's the station? | Où est la gare ?
Excuse me, where is the station? | Excusez-moi, où est la gare ?
Excuse me, where is the station, please? | Excusez-moi, où est la gare, s'il vous plaît ?
Hello, where is the station? | Bonjour, où est la gare ?
Where is the hotel? | Où est l'hôtel ?
Where is the exit? | Où est la sortie ?
Where is the airport? | Où est l'aéroport ?
Where is the bus stop? | Où est l'arrêt de bus ?
Where is the museum? | Où est le musée ?
Where is the restaurant? | Où est le restaurant ?
Where is the hospital? | Où est l'hôpital ?
Where is the bank? | Où est la banque ?
Where is the nearest bank? | Où est la banque la plus proche ?
Where are the toilets? | Où sont les toilettes ?
Where are the toilets, please? | Où sont les toilettes, s'il vous plaît ?
Excuse me, where are the toilets? | Excusez-moi, où sont les toilettes ?
Where is it? | Où est-ce ?
Where are we? | Où sommes-nous ?
Where are you? | Où êtes-vous ?
Where are you going? | Où allez-vous ?
Is it far? | Est-ce que c'est loin ?
Is it far from here? | Est-ce que c'est loin d'ici ?
Is it near here? | Est-ce que c'est près d'ici ?
It is very far. | C'est très loin.
It is on the left. | C'est à gauche.
It is on the right. | C'est à droite.
It is straight ahead. | C'est tout droit.
Turn left. | Tournez à gauche.
Turn right. | Tournez à droite.
Go straight on. | Allez tout droit.
What time is it? | Quelle heure est-il ?
What time is it, please? | Quelle heure est-il, s'il vous plaît ?
What day is it today? | Quel jour sommes-nous aujourd'hui ?
Today is Monday. | Nous sommes lundi aujourd'hui.
It is one o'clock. | Il est une heure.
It is noon. | Il est midi.
It is midnight. | Il est minuit.
It is half past eight. | Il est huit heures et demie.
It is late. | Il est tard.
It is too early. | Il est trop tôt.
What is the weather like? | Quel temps fait-il ?
It is cold today. | Il fait froid aujourd'hui.
It's raining. | Il pleut.
It is raining. | Il pleut.
How much is it? | Combien ça coûte ?
How much does it cost? | Combien ça coûte ?
How much is that, please? | Combien ça coûte, s'il vous plaît ?
It is too expensive. | C'est trop cher.
It's too expensive. | C'est trop cher.
It is very good. | C'est très bon.
It was delicious. | C'était délicieux.
It is free of charge. | C'est gratuit.
That's all, thank you. | C'est tout, merci.
That is all, thank you. | C'est tout, merci.
I'm just looking, thank you. | Je regarde seulement, merci.
I will take it. | Je le prends.
I'll take it. | Je le prends.
Can I pay by card? | Est-ce que je peux payer par carte ?
Can I pay by credit card? | Est-ce que je peux payer par carte de crédit ?
Can I pay in cash? | Est-ce que je peux payer en espèces ?
Do you accept credit cards? | Acceptez-vous les cartes de crédit ?
Could I have a receipt, please? | Est-ce que je pourrais avoir un reçu, s'il vous plaît ?
The bill, please. | L'addition, s'il vous plaît.
Can I have the bill, please? | Est-ce que je peux avoir l'addition, s'il vous plaît ?
Could we have the bill, please? | Est-ce que nous pourrions avoir l'addition, s'il vous plaît ?
The menu, please. | Le menu, s'il vous plaît.
Can I see the menu, please? | Est-ce que je peux voir le menu, s'il vous plaît ?
A coffee, please. | Un café, s'il vous plaît.
Two coffees, please. | Deux cafés, s'il vous plaît.
A beer, please. | Une bière, s'il vous plaît.
A glass of water, please. | Un verre d'eau, s'il vous plaît.
I would like a coffee, please. | Je voudrais un café, s'il vous plaît.
I'd like a coffee, please. | Je voudrais un café, s'il vous plaît.
I would like two tickets, please. | Je voudrais deux billets, s'il vous plaît.
I'd like two tickets, please. | Je voudrais deux billets, s'il vous plaît.
I would like two tickets. | Je voudrais deux billets.
I would like a ticket, please. | Je voudrais un billet, s'il vous plaît.
I would like three tickets, please. | Je voudrais trois billets, s'il vous plaît.
Hello, I would like two tickets, please. | Bonjour, je voudrais deux billets, s'il vous plaît.
I would like to pay, please. | Je voudrais payer, s'il vous plaît.
I would like to book a room. | Je voudrais réserver une chambre.
I would like a room for two people, please. | Je voudrais une chambre pour deux personnes, s'il vous plaît.
Do you have a room for tonight? | Avez-vous une chambre pour ce soir ?
Do you have a table for two? | Avez-vous une table pour deux ?
I have a reservation. | J'ai une réservation.
I do not have a reservation. | Je n'ai pas de réservation.
What would you like? | Que désirez-vous ?
What would you like to drink? | Que voulez-vous boire ?
What would you like to eat? | Que voulez-vous manger ?
What do you recommend? | Que recommandez-vous ?
What are you doing? | Que faites-vous ?
What is it? | Qu'est-ce que c'est ?
What is that? | Qu'est-ce que c'est ?
What are you looking for? | Que cherchez-vous ?
What is happening? | Qu'est-ce qui se passe ?
Who is it? | Qui est-ce ?
Why? | Pourquoi ?
Why not? | Pourquoi pas ?
When? | Quand ?
Where? | Où ?
How? | Comment ?
How much? | Combien ?
Is breakfast included? | Est-ce que le petit déjeuner est compris ?
What time is breakfast? | À quelle heure est le petit déjeuner ?
What is the wifi password? | Quel est le mot de passe du wifi ?
Is there wifi here? | Y a-t-il du wifi ici ?
Is this seat free? | Est-ce que cette place est libre ?
Is this seat taken? | Est-ce que cette place est occupée ?
Is this table free? | Est-ce que cette table est libre ?
I am hungry. | J'ai faim.
I'm hungry. | J'ai faim.
I am thirsty. | J'ai soif.
I'm thirsty. | J'ai soif.
I am tired. | Je suis fatigué.
I'm tired. | Je suis fatigué.
I am cold. | J'ai froid.
I am hot. | J'ai chaud.
I am in a hurry. | Je suis pressé.
I am late. | Je suis en retard.
You are right. | Vous avez raison.
You are wrong. | Vous avez tort.
I love you. | Je vous aime.
I like it very much. | Ça me plaît beaucoup.
I agree. | Je suis d'accord.
I don't agree. | Je ne suis pas d'accord.
I think so. | Je pense que oui.
I hope so. | J'espère que oui.
Don't worry. | Ne vous inquiétez pas.
Do not worry. | Ne vous inquiétez pas.
Don't touch that! | Ne touchez pas à ça !
Leave me alone! | Laissez-moi tranquille !
Let's go! | Allons-y !
Did you sleep well? | Avez-vous bien dormi ?
I slept very well. | J'ai très bien dormi.
We had a good time. | Nous nous sommes bien amusés.
Can I smoke here? | Est-ce que je peux fumer ici ?
It is forbidden to smoke here. | Il est interdit de fumer ici.
Can I come in? | Est-ce que je peux entrer ?
Can I sit here? | Est-ce que je peux m'asseoir ici ?
Can we go there on foot? | Est-ce que nous pouvons y aller à pied ?
I have nothing to declare. | Je n'ai rien à déclarer.
There is nobody at reception. | Il n'y a personne à la réception.
To the airport, please. | À l'aéroport, s'il vous plaît.
To the station, please. | À la gare, s'il vous plaît.
Stop here, please. | Arrêtez-vous ici, s'il vous plaît.
Which platform does the train leave from? | De quel quai part le train ?
When does the train leave? | Quand part le train ?
The train is late. | Le train est en retard.
I missed my train. | J'ai raté mon train.
"""


def fixed_pairs() -> list[tuple[str, str]]:
    """Return the phrases as pairs of English and French."""
    pairs = []
    for line in FIXED_PHRASES.strip().splitlines():
        english, _, french = line.partition(" | ")
        pairs.append((english, french))
    return pairs
