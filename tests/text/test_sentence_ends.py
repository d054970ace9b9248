"""Hand-worked: a bar stands where a sentence ends and another begins."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq.text.sentence_ends import has_line_break, sentence_ends

CASES = {
    "plain": "He left.| She stayed!| Did you see it?| No",
    "titles": "We met Mr. Brown, Dr. Hall and Gen. Moore.| Prof. Lee was ill.| So was St. John",
    "a title is a word in small letters": "It is in her gen.| Then they sat in the sen.| Nobody knew",
    "initials": "J. R. Carter wrote to W.E.B. Mason.| They never met.| Mary K. Hall did",
    "after an initial, a word that begins sentences": ("This is plan B.| The next one is plan C. Mason has a third"),
    "Latin": "Bring fruit, e.g. Pears, i.e. Anything vs. Nothing.| Pears, plums, etc.| Apples, etc. are fine",
    "initialisms": (
        "The U.S. Army came from the U.K.| It left at 5 p.m.| "
        "They ate at 6 a.m. Eastern time.| He has a Ph.D. Nobody cares"
    ),
    "firms": "She founded Brown Inc. and Hall Ltd. London is far.| Hall Ltd.| It failed",
    "decimals and prices": ("It is 3.5 metres long.| It costs $2.50.| Version 1.2.3 is out.| That was 1990.| We left"),
    "numbers of things": (
        "See fig. 5 and No. 7 in vol. II of it.| He said no.| She said no.| I came on Jan. 5 or Feb. 6"
    ),
    "lists": "1. Come in.| 2. Sit down.| IV. Leave",
    "ellipses": "Well... maybe.| Well...| Maybe.| I think… no.| And then…| Nothing.| About... 5",
    "quotation marks": "“Stay.”| He stayed.| \"Why?\" she asked.| 'No.'| It's over.| ‘Go!’| Never",
    "brackets": "(He left.)| She stayed (why?) Alone.| [See there.]| She saw Bob (the old one).| Now",
    "several marks": "What?!| No!!!| Really?..| Yes.| Hm!?”| Fine",
    "references": "He left.[1]| She stayed.[12][a]| It rained.²| So",
    "addresses": "Look at www.site.com or a.b@c.com.| It is at site.com/a.b?c=d!e.| Done",
    "small letters": "The app is called run! and it runs.| Iron is Fe. no more",
    "nothing in capitals": 'he left.| she met mr. brown, e.g. here.| "why?" she asked.| « où ? » dit-il.| no... never',
    "only marks": "... ! ? Yes.| No ... ! ?",
    "emoji": "Great!| 😀 Thanks. 🎉🎉",
    "French": (
        "M. Petit et Mme. Roy arrivent.| « Ça va ? » demande-t-il.| "
        "« Oui ! »| Allons-y.| Puis l'av. Foch, p. ex. Ici.| Qui l'a.| Personne"
    ),
    "French spaces": (
        "Où est-il ?| Là-bas !| « Bien. »| Il est né en 40 av. J.-C. Rome brûlait.| Voir chap. IV et p. 12"
    ),
    "German": (
        "Am 3. Oktober, im 19. Jahrhundert, z. B. Goethe, d. h. Er, z.B. Ich.| "
        "Das war um 10.| Dann nicht.| Nr. 5 in der Hauptstr. 7"
    ),
    "German quotation marks": (
        "„Ja.“| Er ging.| »Nein!«| Sie blieb.| „Wer?“ fragte er.| Für 5 Mio. Euro usw.| Rum u. dgl. Sachen.| Ca. 3"
    ),
    "Spanish": (
        "¿Qué tal?| ¡Bien!| El Sr. Ruiz y la Dra. Gil viven en EE. UU. Desde 1990, p. ej. Aquí.| Pág. 5 y núm. 3.| Él"
    ),
    "Italian": "Il Sig. Neri e il Dott. Verdi.| La S.p.A. Verde.| Pag. 5, ecc.| Vol. II",
    "Portuguese": "A Sra. Lima e o Dr. Reis.| V. Exa. sabe.| Av. Central",
    "Dutch": "Dhr. Smit, d.w.z. Jan, bijv. Piet.| Blz. 5, enz.| Toen",
    "Polish": "Prof. Nowak, np. Jan, ul. Polna, tzn. Tam, m.in. Ewa.| Potem itd.| Koniec",
    "Russian": ("Он жил на ул. Лесной.| Проф. Белов и т. д.| Он ушёл.| А. С. Попов, т.е. Он.| Рис. 5 и др. Иванов"),
    "Greek": "Τι κάνεις;| Καλά.| Εσύ;| Ναι; όχι",
    "Czech": "Např. Brno.| Tzv. Morava.| Dobrý den",
    "Turkish": "Örn. Ankara.| Bkz. İzmir.| 2. Dünya",
    "Chinese": (
        "我来了。|你呢？|他说：“走吧。”|然后走了！|真的吗?|"
        "好……我不知道。|（一）二。 |他（真的？）来了。|“好！”，他说。|三"
    ),
    "Japanese": "今日は。|明日は？！|「はい。」|雨です。|「行く？」と聞いた。|３．５メートル。|『終』",
    "Korean": "네.| 그래요.| 정말요?| 알겠습니다",
    "Arabic": "هل أنت بخير؟| نعم.| قال د. سامي.| أين؟|هنا",
    "Urdu": "وہ گیا۔| وہ آئی۔|کون؟| میں",
    "Hindi": "राम गया।| सीता आई।|डॉ. शर्मा कौन है?| वह॥१॥| और",
    "Armenian, Ethiopic, Burmese, Khmer": "Այո։| Ոչ։| ሰላም።| እሺ።| သွားတယ်။|လာ။|បាទ។| ទេ",
    "breaks of lines": "One|\ntwo.|\n\n***|\r\nthree|\u2029four, Mr.|\x0bfive",
}


def marked(line: str) -> str:
    for place in reversed(sentence_ends(line)):
        line = line[:place] + "|" + line[place:]
    return line


@pytest.mark.parametrize("name", CASES)
def test_where_sentences_end(name: str) -> None:
    case = CASES[name].replace(" |", "| ")
    assert marked(case.replace("|", "")) == case


def test_a_line_without_sentences() -> None:
    for line in ("", " \t", "...", "?", "one", "one.", ' "One." ', "\u3000。", "Mr.", "Mr. "):
        assert sentence_ends(line) == []


TEXT = st.text(st.sampled_from(list("abAB1.!?…,;\"'()[]«» \t\n\u2028。？」とé؟।-_😀")), max_size=60)


@settings(deadline=None, max_examples=300)
@given(TEXT)
def test_every_sentence_says_something_unless_a_line_ends(line: str) -> None:
    ends = sentence_ends(line)
    assert ends == sorted(set(ends))
    assert all(0 < end < len(line) and not line[end - 1].isspace() for end in ends)
    for start, end in zip([0, *ends], [*ends, len(line)], strict=True):
        text = line[start:end]
        behind = line[end : len(line) - len(line[end:].lstrip())]
        broken = has_line_break(text[: len(text) - len(text.lstrip())]) or has_line_break(behind)
        assert any(character.isalnum() for character in text) or broken or not ends


@pytest.mark.parametrize(
    "unit", ["Yes. ", "! ", "? ) ", '"A. ', "(a.) ", "。", "?", "a.", "[1]", ".[1] ", ")) ", "好?", "\n"]
)
def test_time_grows_with_the_line(unit: str) -> None:
    line = unit * (100_000 // len(unit))
    began = time.process_time()
    sentence_ends(line)
    assert time.process_time() - began < 5
