"""TSV and JSON lines, and paragraphs, through the command."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from seq2seq.cli.layout import Entry, Feed, passed_through
from seq2seq.demands import Source
from seq2seq.errors import CorpusError
from seq2seq.translator import Translator
from tests.cli.test_processes import line_in_time, start

LINES = ["Where is the station?", "", "I would like two tickets, please.", "the small dog"]


@pytest.fixture
def expected(translator: Translator) -> list[str]:
    return [each.text for each in translator.translate(LINES)]


def test_rows_in_rows_out(command, small_model: Path, expected: list[str], tmp_path: Path) -> None:
    rows = [f"{number}\t{line}\tx {number}" for number, line in enumerate(LINES)]
    (tmp_path / "in.tsv.gz").write_bytes(gzip.compress("\r\n".join(rows).encode()))
    ended = command("translate", "-m", small_model, "-i", tmp_path / "in.tsv.gz", "--source-column", 2, "-b", 5)
    assert ended.lines == [f"{row}\t{text}" for row, text in zip(rows, expected, strict=True)]
    headed = "\n".join(["id\ten\tnote", *rows[:2], "", *rows[2:]]).encode()
    arguments = ("--input-format", "tsv", "--source-column", "en", "--target-column", "note")
    ended = command("translate", "-m", small_model, *arguments, stdin=headed)
    new = [f"{number}\t{line}\t{text}" for number, (line, text) in enumerate(zip(LINES, expected, strict=True))]
    assert ended.lines == ["id\ten\tnote", *new[:2], "", *new[2:]]
    assert ": 4 sentences in " in ended.said


def test_carriage_returns_of_other_columns_stay(command, small_model: Path) -> None:
    ended = command("translate", "-m", small_model, "--input-format=tsv", stdin=b"dog\ta\rb\n")
    assert ended.lines[0].startswith("dog\ta\rb\t")
    assert b"\r" not in command("translate", "-m", small_model, "--split-sentences", stdin=b"dog\ra\rb\n").output


def test_objects_in_objects_out(
    command, small_model: Path, translator: Translator, expected: list[str], tmp_path: Path
) -> None:
    lines = [json.dumps({"id": number, "text": line}) for number, line in enumerate(LINES)]
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join([*lines[:3], "", lines[3]]) + "\n")
    found = command("translate", "-m", small_model, "-i", source).lines
    assert found[3] == ""
    assert [json.loads(line) for line in found if line] == [
        {"id": number, "text": line, "translation": text}
        for number, (line, text) in enumerate(zip(LINES, expected, strict=True))
    ]
    arguments = ("--n-best", 2, "--alignment", "--scores", "--target-field", "text")
    found = command("translate", "-m", small_model, "-i", source, *arguments).lines
    for line, best in zip([line for line in found if line], translator.translate(LINES, n_best=2), strict=True):
        record = json.loads(line)
        assert list(record) == ["id", "text", "score", "alignment", "n_best"]
        assert record["text"] == best[0].text
        assert record["score"] == pytest.approx(best[0].score, abs=1e-4)
        assert record["alignment"] == [list(pair) for pair in best[0].alignment]
        assert [each["translation"] for each in record["n_best"]] == [each.text for each in best]
    ended = command("translate", "-m", small_model, "-i", source, "--input-format", "text", "--beam", 1)
    assert len(ended.lines) == 5
    assert not ended.lines[0].startswith("{")


def test_objects_that_ask_for_something(command, small_model: Path, translator: Translator, tmp_path: Path) -> None:
    asked = [
        Source(text=LINES[0], prefix="Le petit"),
        Source(text=""),
        Source(text=LINES[2], include=("la gare",)),
        Source(text=LINES[3], avoid=tuple(translator.translate(LINES[3]).text.split()[:1])),
    ]
    records = [
        {"text": each.text, "begin": each.prefix, "include": each.include, "avoid": each.avoid or None}
        for each in asked
    ]
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in records))
    fields = ("--prefix-field", "begin", "--include-field", "--avoid-field")
    found = command("translate", "-m", small_model, "-i", source, *fields).lines
    texts = [each.text for each in translator.translate(asked)]
    assert [json.loads(line)["translation"] for line in found] == texts
    assert texts[0].startswith("Le petit")
    assert "la gare" in texts[2]
    assert texts[3] != translator.translate(LINES[3]).text
    plain = command("translate", "-m", small_model, "-i", source).lines
    assert [json.loads(line)["translation"] for line in plain] == [each.text for each in translator.translate(LINES)]


def test_phrases_that_no_translation_has(command, small_model: Path, translator: Translator, tmp_path: Path) -> None:
    words = tuple(translator.translate(LINES[0]).text.split()[:2])
    other = translator.translate(LINES[3]).text.split()[0]
    expected = [each.text for each in translator.translate([Source(text=line, avoid=words) for line in LINES])]
    text = "\n".join(LINES).encode()
    assert command("translate", "-m", small_model, "--avoid", *words, stdin=text).lines == expected
    assert expected[0] != translator.translate(LINES[0]).text
    rows = command(
        "translate", "-m", small_model, "--avoid", words[0], "--avoid", words[1], "--input-format=tsv", stdin=text
    )
    assert [row.split("\t")[-1] for row in rows.lines] == expected
    records = [json.dumps({"text": line, "avoid": [other] * (line == LINES[3])}) for line in LINES]
    arguments = ("--input-format=jsonl", "--avoid-field", "--include-field", "--avoid", *words)
    ended = command("translate", "-m", small_model, *arguments, stdin="\n".join(records).encode())
    expected[3] = translator.translate(Source(text=LINES[3], avoid=(other, *words))).text
    assert [json.loads(line)["translation"] for line in ended.lines] == expected
    records[2] = json.dumps({"text": LINES[2], "include": [words[1]]})
    ended = command("translate", "-m", small_model, *arguments, stdin="\n".join(records).encode())
    assert (ended.status, ended.output.count(b"\n")) == (2, 2)
    assert f"error: line 3: {words[1]!r} is to be included and avoided at once; choose one" in ended.said


def test_paragraphs(command, small_model: Path, translator: Translator) -> None:
    document = "Where is the station? The small dog.  Mr. Cat!\n\nbread\n"
    sentences = ["Where is the station?", "The small dog.", "Mr. Cat!", "bread"]
    one, two, three, four = (each.text for each in translator.translate(sentences))
    ended = command("translate", "-m", small_model, "--split-sentences", stdin=document.encode())
    assert ended.lines == [f"{one} {two}  {three}", "", four]
    assert ": 3 lines in " in ended.said
    record = json.dumps({"text": document}).encode()
    arguments = ("--input-format=jsonl", "--split-sentences")
    [line] = command("translate", "-m", small_model, *arguments, stdin=record).lines
    assert json.loads(line)["translation"] == f"{one} {two}  {three}\n\n{four}\n"
    ended = command("translate", "-m", small_model, "--no-split-sentences", stdin=document.encode())
    assert ended.lines[0] == translator.translate(document.split("\n")[0]).text


def test_a_bad_line_ends_it_when_all_before_it_is_written(command, small_model: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out"
    target.write_text("precious")
    source.write_text('{"text": "dog"}\n\n{"text": "cat"}\n{"text": 3}\n{"text": "milk"}\n')
    arguments = ("-m", small_model, "-i", source, "--beam", 1)
    ended = command("translate", *arguments, "-o", target)
    assert ended.status == 2
    assert f"error: {source}, line 4: field text holds a number, not text" in ended.said
    assert target.read_text() == "precious"
    assert (tmp_path / "out.partial").read_text().count("\n") == 3
    assert f"the first 3 lines are in {target}.partial" in ended.said
    ended = command("translate", *arguments)
    assert (ended.status, ended.output.count(b"\n")) == (2, 3)
    source.write_text("nothing\n")
    assert command("translate", *arguments).error == f"{source}, line 1: not JSON: Expecting value at character 1"


def test_errors_of_the_model_count_the_lines_of_the_file(command, small_model: Path) -> None:
    text = ("en\tx\n\nbread\ty\n" + "cat " * 100 + "\tz\n").encode()
    arguments = ("--input-format=tsv", "--source-column=en", "--long-input=error")
    assert "error: line 4 has " in command("translate", "-m", small_model, *arguments, stdin=text).said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source-field", "en"], "--source-field is for jsonl, but the input is text; leave it out, or add --input"),
        (["-i", "{here}/in.TSV", "--target-field", "en"], "--target-field is for jsonl, but the input is tsv"),
        (["--prefix-field"], "--prefix-field is for jsonl, but the input is text; leave it out, or add --input-format"),
        (["--include-field", "x"], "--include-field is for jsonl, but the input is text"),
        (["--avoid-field", "--input-format", "tsv"], "--avoid-field is for jsonl, but the input is tsv"),
        (["--avoid", "a", " "], "argument --avoid: must be text, not nothing; see"),
        (["-i", "{here}/in.ndjson", "--source-column", "1"], "--source-column is for tsv, but the input is jsonl"),
        (["--input-format", "csv"], "argument --input-format: invalid choice: 'csv'"),
        (["--source-column", "0"], "argument --source-column: columns are counted from 1, so there is no 0; see"),
        (["--target-column", " "], "argument --target-column: must be a number from 1 or a name, not nothing"),
        (["--input-format", "tsv", "--n-best"], "--n-best makes no columns; leave it out, or give the input as text"),
        (["--input-format", "tsv", "--json"], "--json makes no columns"),
        (
            ["--input-format=jsonl", "--scores", "--target-field=score"],
            "--target-field score is also the name of a field that another option adds; name another",
        ),
        (["--input-format", "tsv", "--source-column", "en"], "standard input, line 1: there is no column en, only dog"),
        (["--input-format", "jsonl"], "standard input, line 1: not JSON: Expecting value at character 1"),
    ],
)
def test_bad_input_is_one_sentence(
    command, small_model: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "in.TSV").write_text("dog")
    (tmp_path / "in.ndjson").write_text("dog")
    placed = [argument.replace("{here}", str(tmp_path)) for argument in arguments]
    ended = command("translate", "-m", small_model, *placed, stdin=b"dog\n")
    assert message in ended.error


@pytest.mark.skipif(os.name == "nt", reason="pipes end otherwise there")
def test_a_row_is_translated_before_the_next_is_written(small_model: Path) -> None:
    arguments = ("--input-format", "tsv", "--source-column", "en", "--beam", 1, "--device", "cpu")
    with start("translate", "-m", small_model, *arguments) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line, begin in ((b"id\ten\n", "id\ten\ttranslation"), (b"1\tdog\n", "1\tdog\t"), (b"\n", "")):
            process.stdin.write(line)
            process.stdin.flush()
            assert line_in_time(process.stdout, process).startswith(begin)
        process.stdin.write(b"1\n2\tcat\n")
        rest, said = process.communicate(timeout=60)
    assert (process.returncode, rest) == (2, b"")
    assert said.decode().splitlines()[-1].endswith("standard input, line 4: 1 column, but the header has 2")


class Shouting:
    """Every line is text but those that begin with a mark."""

    copies = False

    def entry(self, line: str, number: int) -> Entry:
        if line.startswith("#"):
            return passed_through(line)
        if line.startswith("!"):
            raise CorpusError(f"line {number}")
        return Entry(line, lambda number, translations: [f"{number} {line}"])


def test_a_chunk_is_fed_up_to_what_cannot_be_used() -> None:
    asked = []

    def chunks():
        for chunk in (["a", "#b"], ["c"], ["d", "#", "!", "e"], ["f"]):
            asked.append(chunk[0])
            yield chunk

    feed = Feed(chunks(), Shouting())
    texts = iter(feed)
    assert next(texts) == ["a", ""]
    assert asked == ["a"]
    translations = [["A"], ["B"]]
    assert list(feed.lines(translations)) == ["0 a", "#b"]  # type: ignore[arg-type]
    assert feed.translated(translations) == [["A"]]  # type: ignore[arg-type]
    assert next(texts) == ["c"]
    assert list(feed.lines([["C"]])) == ["2 c"]  # type: ignore[list-item]
    assert next(texts) == ["d", ""]
    assert list(feed.lines([["D"], [""]])) == ["3 d", "#"]  # type: ignore[list-item]
    with pytest.raises(CorpusError, match=r"^line 6$"):
        next(texts)
