import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq.text.sentence_ends import sentence_ends
from seq2seq.text.sentences import Part, join_parts, split_line, split_sentences


def letters(texts: Sequence[str]) -> list[int]:
    """A count whose pieces are the characters that are not spaces."""
    return [sum(not character.isspace() for character in text) for text in texts]


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def texts(line: str, limit: int) -> list[str]:
    return [part.text for part in split_line(line, count=words, limit=limit)]


def test_a_short_line_stays_whole() -> None:
    assert split_line("  One. Two ", count=words, limit=2) == [Part("  One. Two ", "")]
    assert split_line("", count=words, limit=1) == [Part("", "")]


def test_sentences_come_first() -> None:
    line = 'He came, and saw. "Did he win?" Yes, of course! They cheered'
    assert texts(line, 7) == ['He came, and saw. "Did he win?"', "Yes, of course! They cheered"]
    assert texts(line, 6) == ["He came, and saw.", '"Did he win?" Yes, of course!', "They cheered"]
    french = "Il dit « Oui. » Puis il partit vite"
    assert texts(french, 5) == ["Il dit « Oui. »", "Puis il partit vite"]
    assert texts(french, 4) == ["Il dit «", "Oui. »", "Puis il partit vite"]


def test_then_clauses() -> None:
    assert texts("when it rains, we stay at home; otherwise we go", 5) == [
        "when it rains,",
        "we stay at home;",
        "otherwise we go",
    ]


def test_then_words() -> None:
    assert texts("one two three four five", 2) == ["one two", "three four", "five"]


@pytest.mark.parametrize("name", ["Mr. Smith", "J. Smith", "M. Dupont", "e.g. this", "3.5 metres", "approx. ten"])
def test_full_stops_that_end_nothing(name: str) -> None:
    line = f"we met {name} here. And left again"
    assert texts(line, 6)[0] == f"we met {name} here."
    assert texts(line, 4)[0] == f"we met {name}"


def test_scripts_without_spaces() -> None:
    line = "今日は天気がいいです。「明日は？」雨が降るでしょう、多分。とても長い文です"
    parts = split_line(line, count=letters, limit=18)
    assert [part.text for part in parts] == [
        "今日は天気がいいです。「明日は？」",
        "雨が降るでしょう、多分。",
        "とても長い文です",
    ]
    assert join_parts(["It is fine.", "It will rain.", "Long"], parts) == "It is fine. It will rain. Long"
    assert join_parts(["很好。", "下雨。", "长"], parts) == "很好。下雨。长"
    assert join_parts(["Good.", "Day."], [Part("好。", ""), Part("天。", "")]) == "Good. Day."
    assert join_parts(["Good?", "Day."], [Part("好?", ""), Part("天。", "")]) == "Good? Day."
    assert join_parts(["Where?", "Here."], [Part("أين؟", ""), Part("هنا", "")]) == "Where? Here."
    assert join_parts(["کہاں؟", "یہاں۔"], [Part("أين؟", ""), Part("هنا", "")]) == "کہاں؟یہاں۔"
    assert join_parts(["http://a?", "b=c"], [Part("http://a?", ""), Part("b=c", "")]) == "http://a?b=c"


def test_inside_a_word_marks_come_first() -> None:
    assert [part.text for part in split_line("go to aaaa.bb/cccc-dddd now", count=letters, limit=10)] == [
        "go to",
        "aaaa.bb/",
        "cccc-dddd",
        "now",
    ]


def test_a_word_of_letters_is_cut_evenly_and_what_belongs_together_stays() -> None:
    parts = split_line("x" * 20_000, count=letters, limit=200)
    assert [len(part.text) for part in parts] == [200] * 100
    family = "\U0001f469\u200d\U0001f467"
    for part in split_line(family * 100, count=letters, limit=20):
        assert part.text == family * (len(part.text) // 3)
    for part in split_line("e\u0301" * 100, count=letters, limit=15):
        assert not part.text.startswith("\u0301")
        assert part.text
    assert max(letters([part.text for part in split_line("\u0301" * 999, count=letters, limit=50)])) <= 50


def test_separators_are_kept() -> None:
    assert split_line("\t one \u3000 two\x0b\u2028three \r", count=words, limit=1) == [
        Part("\t one", " \u3000 "),
        Part("two", "\x0b\u2028"),
        Part("three \r", ""),
    ]
    parts = split_line("one \u3000 two", count=words, limit=1)
    assert join_parts(["un", "deux"], parts) == "un \u3000 deux"


def test_counts_that_do_not_add_up() -> None:
    def growing(lines: Sequence[str]) -> list[int]:
        """A text has more pieces than its words."""
        return [len(line.split()) ** 2 for line in lines]

    parts = split_line("a b c d e f g h i", count=growing, limit=10)
    assert 3 <= len(parts) <= 5
    assert max(growing([part.text for part in parts])) <= 10


TEXT = st.text(st.sampled_from(list("ab.,!? \t\u3000\r\u2028。、」\u0301\u200d-/é\0")), max_size=120)


@settings(deadline=None)
@given(line=TEXT, limit=st.integers(1, 12))
def test_nothing_is_lost_and_nothing_is_too_long(line: str, limit: int) -> None:
    parts = split_line(line, count=letters, limit=limit)
    assert "".join(part.text + part.separator for part in parts) == line
    assert join_parts([part.text for part in parts], parts) == line
    if len(parts) > 1:
        assert all(part.text.strip() for part in parts)
    for part, pieces in zip(parts, letters([part.text for part in parts]), strict=True):
        # Characters that belong together may be more than the limit, but not by more than they are.
        assert pieces <= limit or any(character in part.text for character in "\u0301\u200d")


def test_time_grows_with_the_line() -> None:
    asked = 0

    def count(lines: Sequence[str]) -> list[int]:
        nonlocal asked
        asked += sum(map(len, lines))
        return words(lines)

    line = "word, " * 20_000
    began = time.process_time()
    assert len(split_line(line, count=count, limit=200)) == 100
    assert asked < 5 * len(line)
    assert time.process_time() - began < 3


def test_the_limit_must_be_positive() -> None:
    with pytest.raises(ValueError, match="limit must be 1 or more"):
        split_line("a", count=words, limit=0)


def test_sentences_with_what_stands_between_them() -> None:
    assert split_sentences(" One day.  Two, e.g. Three?\u3000四。五 ") == [
        Part(" One day.", "  "),
        Part("Two, e.g. Three?", "\u3000"),
        Part("四。", ""),
        Part("五 ", ""),
    ]
    for line in ("", " ", "one", " Mr. One. "):
        assert split_sentences(line) == [Part(line, "")]


def test_line_breaks_around_sentences_are_separators() -> None:
    assert split_sentences("\n\n One. Two\n\n***\n\tfour\n") == [
        Part("", "\n\n "),
        Part("One.", " "),
        Part("Two", "\n\n"),
        Part("***", "\n\t"),
        Part("four", "\n"),
    ]
    assert split_sentences("\n") == [Part("", "\n"), Part("", "")]


@settings(deadline=None)
@given(line=st.text(st.sampled_from(list("abA1.,!? \t\u3000\n\r\u2028。」é»")), max_size=80))
def test_no_sentence_is_lost(line: str) -> None:
    parts = split_sentences(line)
    assert "".join(part.text + part.separator for part in parts) == line
    assert join_parts([part.text for part in parts], parts) == line
    assert all(part.separator.strip() == "" for part in parts)
    assert len([part for part in parts if part.text.strip()]) == len(sentence_ends(line)) + (line.strip() != "")


def test_a_long_line_is_split_where_its_sentences_end() -> None:
    """Both ways of splitting see the same ends."""
    line = "He met Mr. Brown, i.e. The boss. She met Dr. Hall at 5 p.m. They ate"
    sentences = ["He met Mr. Brown, i.e. The boss.", "She met Dr. Hall at 5 p.m.", "They ate"]
    assert [part.text for part in split_sentences(line)] == texts(line, 8) == sentences
    assert texts(line, 9) == [sentences[0], f"{sentences[1]} {sentences[2]}"]
    unspaced = "「行く？」と聞いた。「はい。」"
    assert [part.text for part in split_line(unspaced, count=letters, limit=10)] == [
        "「行く？」と聞いた。",
        "「はい。」",
    ]
