"""Words before full stops that end no sentence, and words after them that show that it ended all the same.

One list for all languages, without their last full stops and in small letters. Where two languages disagree, a word
is in the list that splits less: a sentence in two pieces is translated worse than two sentences in one.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Never the end of a sentence. By languages: English and Latin; French; German; Spanish, Portuguese, Italian; Dutch,
#: Scandinavian, Finnish; Polish, Czech, Turkish; Russian, Greek; Hindi.
INSIDE = _words("""
    mr mrs messrs dr drs prof e.g i.e cf vs viz approx incl esp resp
    mme mmes mlle mlles mgr c.-à-d p.ex env éd
    z.b d.h u.a i.d.r bzw bspw vgl evtl ggf inkl exkl sog zzgl geb gest hrsg mrd tsd zb dh
    p.ej sra sras srta dra dña aprox dott exmo egr
    d.w.z o.a bijv dhr mevr t.ex bl.a f.eks dvs esim
    m.in np tzn tzw tj św inż mgr např tzv örn bkz
    т.е проф акад напр тыс π.χ δηλ
    डॉ प्रो श्री पं
""")

#: The same where they have a capital letter, or nothing has; in small letters some are words of their own.
TITLES = _words("""
    ms gen col lt sgt capt cpl maj adm cmdr gov sen rep pres rev hon st ste
    hr hrn frl ing dipl sig sigg avv arch ir yth sn
""")

#: Not the end before a number, Arabic or Roman; "no" and "art" are also words.
BEFORE_NUMBERS = _words("""
    no nos nr nrs art arts fig figs vol vols ch chap sec sect eq tab pp pg op ver min max
    núm nº n° pág págs pag cap abb abs bd bde kap rdnr tel str blz kl hlm
    стр рис табл гл ст
    jan feb mar apr jun jul aug sep sept oct nov dec janv févr avr juil okt dez ene abr ago dic
""")

#: Mostly inside a sentence; the end only if a word of STARTERS follows.
OFTEN_INSIDE = _words("""
    inc ltd co corp bros jr sr ave blvd rd mt ft dept univ assn al ca
    mm bd boul av apr chr ph th ud uds vd vds avda mw mio ul kb pl tp ts ths pgs gs jl dl
    др пр им ул см гос тел
""")

#: Words that begin sentences, and are hardly ever names or parts of them, as Le, El and Die are. By languages: English;
#: French; German; Spanish, Portuguese, Italian; Dutch; Russian.
STARTERS = _words("""
    The He She It They We You This That These Those There His Her Its Their Our My
    But And However Then When What Why How If Now
    Il Elle Ils Elles Nous Vous Je Ce Cette Ces Cela Mais Puis Son Sa Ses Leur On Un Une
    Er Sie Es Wir Ich Ihr Dies Diese Dieser Dieses Aber Dann Doch Und Ein Eine
    Ella Ellos Ellas Nosotros Yo Esto Este Esta Pero Entonces Luego
    Ele Ela Eles Elas Eu Isso Mas Depois Lui Lei Loro Noi Voi Io Questo Questa Ma Poi
    Hij Zij Ze Wij Het Een Dit Dat Maar Toen
    Он Она Оно Они Это Мы Вы Я Но И Потом Тогда В На
""")

#: What German and Turkish count: `am 3. Oktober`, `der 2. Weltkrieg`. Other languages write such words small.
AFTER_ORDINALS = _words("""
    Januar Jänner Februar März April Mai Juni Juli August September Oktober November Dezember
    Jahrhundert Jahrhunderts Jahrtausend Jh Jhd Jhdt Jahr Jahrestag Monat Woche Tag Tages Minute
    Geburtstag Lebensjahr Semester Weltkrieg Weltkriegs Weltkrieges Platz Rang Stock Stockwerk
    Etage Bezirk Kreis Klasse Mal Kapitel Auflage Band Teil Satz Akt Liga Bundesliga Runde
    Spieltag Halbzeit FC SC Dünya Yüzyıl
""")
