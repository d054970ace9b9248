from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq.cli.formats import Details
from seq2seq.cli.json_lines import DemandFields, JsonLines
from seq2seq.demands import Source
from seq2seq.errors import CorpusError
from seq2seq.translation import Translation

BEST = Translation('un "chat" été', -0.5, -1.5, ("un", "chat"), (-0.5, -0.5, -0.5), ((0, 0), (2, 1)), True, 4)
SECOND = Translation("chat\t\n", -0.75, -1.5, ("chat",), (-1.0, -0.5), (), False, 4)


def written(line: str, *, source: str = "text", target: str | None = None, details: Details | None = None) -> str:
    layout = JsonLines(name="a.jsonl", source=source, target=target, details=details or Details())
    [found] = layout.entry(line, 1).lines(0, [BEST, SECOND])
    return found


def text(line: str, **options: Any) -> str | None:
    return JsonLines(name="a.jsonl", source="text", target=None, details=Details(), **options).entry(line, 1).text


def test_a_new_last_field_and_all_else_to_the_letter() -> None:
    line = (
        ' {"id":1.50e3, "n": 12345678901234567890.10,"text" :"a \\u00e9\\ncat", "k": {"text": [1, null]} , "id": 2}\r '
    )
    assert text(line) == "a é\ncat"
    assert written(line) == line.replace('"id": 2', '"id": 2, "translation": "un \\"chat\\" été"')
    assert written('{"text":""}') == '{"text":"", "translation": "un \\"chat\\" été"}'


def test_a_field_that_is_asked_for_is_overwritten_in_its_place() -> None:
    line = '{"a": 1, "translation": [{}, "}"], "text": "x"}'
    assert written(line, target="translation") == '{"a": 1, "translation": "un \\"chat\\" été", "text": "x"}'
    assert written('{"a": 1, "text": "x" }', target="text") == '{"a": 1, "text": "un \\"chat\\" été" }'
    assert written('{"text": "x"}', target="fr") == '{"text": "x", "fr": "un \\"chat\\" été"}'


def test_other_names_of_fields() -> None:
    line = '{"a.b": "x", "s\\u006fürce": "y"}'
    layout = JsonLines(name="a", source="soürce", target=None, details=Details())
    assert layout.entry(line, 1).text == "y"
    assert json.loads(written(line, source="a.b", target='"q"'))['"q"'] == BEST.text


def test_details_become_fields() -> None:
    details = Details.of(scores=True, alignment=True, everything=False, n_best=False)
    assert json.loads(written('{"text": "x"}', details=details)) == {
        "text": "x",
        "translation": BEST.text,
        "score": -0.5,
        "alignment": [[0, 0], [2, 1]],
    }
    details = Details.of(scores=False, alignment=False, everything=False, n_best=True)
    assert json.loads(written('{"text": "x"}', target="text", details=details)) == {
        "text": BEST.text,
        "n_best": [{"translation": BEST.text, "score": -0.5}, {"translation": "chat\t\n", "score": -0.75}],
    }
    details = Details.of(scores=False, alignment=False, everything=True, n_best=True)
    everything = json.loads(written('{"text": "x"}', details=details))
    names = ["score", "log_prob", "tokens", "token_log_probs", "word_confidences", "alignment", "finished"]
    assert list(everything) == ["text", "translation", *names, "n_best"]
    assert everything["n_best"][1]["finished"] is False
    assert list(everything["n_best"][1])[:3] == ["translation", "score", "log_prob"]


def test_blank_lines_stay_blank() -> None:
    for line in ("", " ", "\u3000"):
        assert text(line) is None
        assert written(line) == line


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a cat", "not JSON: Expecting value at character 1"),
        ('{"text": "x"', "not JSON: Expecting ',' delimiter at character 13"),
        ('{"text": "a\tb"}', "not JSON: Invalid control character at at character 12"),
        ('{"text": "x"} {}', "not JSON: something stands after its end, at character 15"),
        ("[" * 100_000, "not JSON that can be read: nested too deeply"),
        ('["text"]', "a JSON object was expected, not a list"),
        ('"text"', "a JSON object was expected, not text"),
        ("NaN", "a JSON object was expected, not a number"),
        ("{}", "there is no field text, only an empty object; see --source-field"),
        ('{"Text": "x", "b": 1}', "there is no field text, only Text, b; see --source-field"),
        ('{"text": 5.0}', "field text holds a number, not text"),
        ('{"text": null}', "field text holds null, not text"),
        ('{"text": true}', "field text holds true, not text"),
        ('{"text": ["x"]}', "field text holds a list, not text"),
        ('{"text": {}}', "field text holds an object, not text"),
        (
            '{"text": "x", "translation": 1}',
            "there is a field translation already; overwrite it with --target-field translation, or name another",
        ),
        ('{"text": "x", "score": 1}', "there is a field score already; rename it, or leave out the option that adds"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(line: str, message: str) -> None:
    layout = JsonLines(name="a.jsonl", source="text", target=None, details=Details(("score",)))
    with pytest.raises(CorpusError) as caught:
        layout.entry(line, 7)
    assert str(caught.value).startswith(f"a.jsonl, line 7: {message}")


def asked(line: str, **fields: str) -> Source | None:
    demands = DemandFields(**fields)
    return (
        JsonLines(name="a.jsonl", source="text", target=None, details=Details(), demands=demands).entry(line, 7).source
    )


def test_fields_say_what_a_translation_must_be() -> None:
    line = '{"text": "x", "prefix": "un \\u00e9t\\u00e9", "include": ["a b", "c"], "avoid": ["d"], "not": ["e"]}'
    everything = {"prefix": "prefix", "include": "include", "avoid": "avoid"}
    assert asked(line, **everything) == Source(text="x", prefix="un été", include=("a b", "c"), avoid=("d",))
    assert asked(line, prefix="text", avoid="not") == Source(text="x", prefix="x", avoid=("e",))
    assert asked(line) is None  # nobody said that these fields mean that
    for nothing in ('{"text": "x"}', '{"text": "x", "prefix": null, "include": null, "avoid": []}'):
        assert asked(nothing, **everything) is None


def test_a_field_that_is_read_is_copied_or_overwritten_as_others_are() -> None:
    layout = JsonLines(
        name="a", source="text", target="draft", details=Details(), demands=DemandFields(prefix="draft", avoid="not")
    )
    [found] = layout.entry('{"text": "x", "draft": "u", "not": [ "\\u0061"]}', 1).lines(0, [BEST])
    assert found == '{"text": "x", "draft": "un \\"chat\\" été", "not": [ "\\u0061"]}'


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ('"prefix": 5', "field prefix holds a number, not text"),
        ('"prefix": ["un"]', "field prefix holds a list, not text"),
        ('"in": "gare"', "field in holds text, not a list of phrases"),
        ('"in": {"gare": 1}', "field in holds an object, not a list of phrases"),
        ('"in": ["gare", 1.5]', "field in holds a list with a number in it, not of phrases alone"),
        ('"in": ["gare", null]', "field in holds a list with null in it, not of phrases alone"),
        ('"avoid": false', "field avoid holds false, not a list of phrases"),
        ('"avoid": ["gare", " "]', "a phrase to avoid is empty; leave it out"),
        ('"in": ["gare"], "avoid": ["a", "gare"]', "'gare' is to be included and avoided at once; choose one"),
    ],
)
def test_a_field_that_holds_something_else_is_named_with_its_line(members: str, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        asked('{"text": "x", ' + members + "}", prefix="prefix", include="in", avoid="avoid")
    assert str(caught.value) == f"a.jsonl, line 7: {message}"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["a", "text", "translation", "é", 'q"', "{", ""])


@settings(deadline=None)
@given(
    record=st.dictionaries(NAMES, VALUES, max_size=5),
    text=st.text(max_size=8),
    separators=st.sampled_from([(",", ":"), (", ", ": "), (" , ", "\t:  ")]),
    ascii_only=st.booleans(),
)
def test_what_is_read_back_is_the_object_with_its_translation(
    record: dict[str, Any], text: str, separators: tuple[str, str], ascii_only: bool
) -> None:
    record["text"] = text
    line = json.dumps(record, separators=separators, ensure_ascii=ascii_only)
    found = json.loads(written(line, target="translation", details=Details(n_best=True)))
    expected = {**record, "translation": BEST.text, "n_best": found["n_best"]}
    assert found == expected
    assert list(found) == list(expected)
