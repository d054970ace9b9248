from __future__ import annotations

import math

import pytest

from seq2seq.errors import CorpusError, UsageError
from seq2seq.text.n_best import check_feature_name, grouped, parse_entry, weighted_sum

MOSES = "3 ||| le chat dort ||| Distortion0= 0 LM0= -17.25 TM0= -1.5 -2 -0.25 0.999 ||| -4.75 ||| 0-0 1-1"


def test_a_line_of_moses() -> None:
    entry = parse_entry(MOSES, where="list, line 7")
    assert (entry.number, entry.text, entry.score) == (3, "le chat dort", -4.75)
    assert entry.values == {"Distortion0": (0.0,), "LM0": (-17.25,), "TM0": (-1.5, -2.0, -0.25, 0.999)}
    assert entry.line() == MOSES
    more = entry.with_feature("mine", -12.34567)
    assert more.line() == MOSES.replace(" 0.999", " 0.999 mine= -12.3457")
    assert more.values["mine"] == (-12.34567,)
    assert more.with_score(-math.inf).line().split(" ||| ")[3:] == ["-inf", "0-0 1-1"]
    with pytest.raises(CorpusError, match=r"^list, line 7: there is a feature LM0 already; choose another name$"):
        entry.with_feature("LM0", 1.0)


@pytest.mark.parametrize(
    ("line", "text", "values"),
    [
        ("0 |||  ||| logprob= 0.0000 ||| 0.0000", "", {"logprob": (0.0,)}),
        ("0 ||| ||| logprob= 0.0000 ||| 0.0000", "", {"logprob": (0.0,)}),  # with spaces squeezed
        ("0 ||| a  b\u2028c\u00a0 |||  ||| -inf", "a  b\u2028c\u00a0", {}),
        ("0 ||| a ||| x=1 y=-2.5e-1 sparse=0.5 ||| 1 ", "a", {"x": (1.0,), "y": (-0.25,), "sparse": (0.5,)}),
        ("0 ||| a | b || c ||| x= -inf ||| 1", "a | b || c", {"x": (-math.inf,)}),
    ],
)
def test_other_lines(line: str, text: str, values: dict[str, tuple[float, ...]]) -> None:
    entry = parse_entry(line, where="here")
    assert (entry.text, entry.values) == (text, values)
    written = entry.with_feature("new", 0.5).line()
    assert (" ||| new= 0.5000 ||| " in written) == (not values)
    again = parse_entry(written, where="here")
    assert (again.text, again.values) == (text, values | {"new": (0.5,)})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "1 field where `id ||| text ||| features ||| score` was expected"),
        ("0 ||| a ||| x= 1", "3 fields where"),
        ("x ||| a ||| x= 1 ||| 2", "the id must be a whole number of 0 or more, not 'x'"),
        ("-1 ||| a ||| x= 1 ||| 2", "the id must be a whole number of 0 or more, not '-1'"),
        ("\u0663 ||| a ||| x= 1 ||| 2", "the id must be"),
        ("0 ||| a ||| x= 1 ||| ", "the score must be a number, not ''"),
        ("0 ||| a ||| x= 1 ||| nan", "the score must be a number, not 'nan'"),
        ("0 ||| a ||| x= 1 ||| inf", "the score must be a number, not 'inf'"),
        ("0 ||| a ||| 1 x= 1 ||| 2", "features must be `name= value`, with numbers for values, but there is '1'"),
        ("0 ||| a ||| lm: -3 ||| 2", "features must be `name= value`, with numbers for values, but there is 'lm:'"),
        ("0 ||| a ||| x= one ||| 2", "features must be `name= value`, with numbers for values, but there is 'one'"),
        ("0 ||| a ||| x=nan ||| 2", "features must be `name= value`, with numbers for values, but there is 'nan'"),
        ("0 ||| a ||| = 1 ||| 2", "a feature has no name"),
        ("0 ||| a ||| x= 1 x= 2 ||| 2", "there are two features x"),
    ],
)
def test_malformed_lines(line: str, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        parse_entry(line, where="list, line 4")
    assert str(caught.value).startswith(f"list, line 4: {message}")


def test_entries_of_a_source_are_together() -> None:
    lines = [f"{number} ||| {text} |||  ||| 0" for number, text in ((0, "a"), (0, "b"), (1, "c"), (2, "d"), (2, "e"))]
    assert [[entry.text for entry in group] for group in grouped(lines, name="list")] == [["a", "b"], ["c"], ["d", "e"]]
    assert list(grouped([], name="list")) == []


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((1,), "list, line 1: ids must begin with 0, not with 1"),
        ((0, 0, 2), "list, line 3: ids must go on with 1 after 0, not with 2"),
        ((0, 1, 0), "list, line 3: ids must go on with 2 after 1, not with 0"),
    ],
)
def test_ids_count_up(numbers: tuple[int, ...], message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        list(grouped([f"{number} ||| a |||  ||| 0" for number in numbers], name="list"))
    assert str(caught.value) == message


def test_weighted_sums() -> None:
    entry = parse_entry(MOSES, where="list, line 7")
    assert weighted_sum(entry, {"LM0": (2.0,), "TM0": (1.0, 0.5, 4.0, 0.0)}) == -34.5 - 1.5 - 1.0 - 1.0
    assert weighted_sum(entry, {"score": (-2.0,)}) == 9.5
    assert weighted_sum(entry, {}) == 0.0
    impossible = entry.with_feature("mine", -math.inf)
    assert weighted_sum(impossible, {"mine": (0.5,), "LM0": (1.0,)}) == -math.inf
    assert weighted_sum(impossible, {"mine": (-0.5,)}) == -math.inf
    assert weighted_sum(impossible, {"mine": (0.0,), "LM0": (1.0,)}) == -17.25
    for weights, message in (
        ({"LM": (1.0,)}, "list, line 7: there is no feature LM, only Distortion0, LM0, TM0, score"),
        (
            {"TM0": (1.0,)},
            "list, line 7: the number of values of the feature TM0 is 4, but that of its weights 1",
        ),
    ):
        with pytest.raises(CorpusError) as caught:
            weighted_sum(entry, weights)
        assert str(caught.value) == message


@pytest.mark.parametrize("name", ["", "a b", "a=", "a|b", "a\u00a0b", "score"])
def test_names_that_no_feature_can_have(name: str) -> None:
    with pytest.raises(UsageError, match=r"^a feature cannot be called "):
        check_feature_name(name)
    check_feature_name("LSTM0")
