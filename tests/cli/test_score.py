from __future__ import annotations

import gzip
import json
import math
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from seq2seq.scored import Scored, TextScore
from seq2seq.translator import Translator

SOURCES = ["Where is the station?", "", "I would like two tickets, please.", "", "the small dog"]
TARGETS = ["Où est la gare ?", "", "Je voudrais  deux billets, s'il vous plaît.", "le chien", ""]
TABLE = "".join(f"{source}\t{target}\n" for source, target in zip(SOURCES, TARGETS, strict=True)).encode()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    contents = {"source": SOURCES, "ref": TARGETS, "short": TARGETS[:3]}
    for name, lines in contents.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    (tmp_path / "table").write_bytes(TABLE)
    return {name: tmp_path / name for name in [*contents, "table"]}


@pytest.fixture
def expected(translator: Translator) -> list[Scored]:
    return translator.score(SOURCES, TARGETS)


def numbers(lines: list[str]) -> list[float]:
    return [float(line) for line in lines]


def test_pairs_in_scores_out(command: Any, small_model: Path, files: dict[str, Path], expected: list[Scored]) -> None:
    ended = command("score", "-m", small_model, "--device", "cpu", "-i", files["source"], "--ref", files["ref"])
    assert ended.status == 0
    assert numbers(ended.lines) == pytest.approx([each.score for each in expected], abs=1e-4)
    assert ended.lines[1] == "0.0000"
    assert ended.lines[3] == "-inf"
    model, speed, summary = ended.said.splitlines()
    assert model == f"seq2seq-score: model {small_model} (--model) on cpu, fp32"
    assert speed.startswith("seq2seq-score: 5 pairs in ")
    text = TextScore()
    text.add(expected)
    assert summary == (
        f"seq2seq-score: 5 pairs of {text.pieces} pieces and {5 + 7 + 3} words, ends counted: log-probability "
        f"{text.log_prob:.4f}, perplexity {text.perplexity_per_piece:.6g} per piece and "
        f"{text.perplexity_per_word:.6g} per word; 1 pair of probability 0 left out"
    )


@pytest.mark.parametrize("options", [[], ["-i", "-"], ["-i", "table"], ["--src", "packed"]])
def test_pairs_may_be_lines_of_one_text(
    command: Any, small_model: Path, files: dict[str, Path], expected: list[Scored], options: list[str], tmp_path: Path
) -> None:
    (tmp_path / "packed").write_bytes(gzip.compress(TABLE))
    placed = [str(tmp_path / option) if option in ("table", "packed") else option for option in options]
    ended = command("score", "-m", small_model, "-q", *placed, stdin=TABLE)
    assert numbers(ended.lines) == pytest.approx([each.score for each in expected], abs=1e-4)
    assert ended.said == ""


@pytest.mark.parametrize("stdin_is", ["-i", "--tgt"])
def test_a_side_may_be_compressed_or_standard_input(
    command: Any, small_model: Path, files: dict[str, Path], expected: list[Scored], stdin_is: str
) -> None:
    side, other = (("source", "ref"), ("ref", "source"))[stdin_is == "--tgt"]
    packed = files[other].with_name("packed.gz")
    packed.write_bytes(gzip.compress(files[other].read_bytes()))
    paths = {"-i": packed, "--tgt": packed} | {stdin_is: "-"}
    ended = command(
        "score", "-m", small_model, "-i", paths["-i"], "--tgt", paths["--tgt"], stdin=files[side].read_bytes()
    )
    assert numbers(ended.lines) == pytest.approx([each.score for each in expected], abs=1e-4)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")
def test_a_pipe_is_read_once(command: Any, small_model: Path, files: dict[str, Path], expected: list[Scored]) -> None:
    pipe = files["ref"].with_name("pipe")
    os.mkfifo(pipe)

    def feed(text: bytes, over: threading.Event) -> None:
        pipe.write_bytes(text)
        while not over.wait(0.05):  # whoever reads it again finds it empty, and does not wait for ever
            with suppress(OSError):
                os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))

    for content in ("ref", "short"):
        over = threading.Event()
        writer = threading.Thread(target=feed, args=(files[content].read_bytes(), over))
        writer.start()
        try:
            ended = command("score", "-m", small_model, "-q", "-i", files["source"], "-r", pipe)
        finally:
            over.set()
            writer.join(timeout=30)
        if content == "ref":
            assert numbers(ended.lines) == pytest.approx([each.score for each in expected], abs=1e-4)
        else:
            assert ended.error.startswith(f"{pipe} has 3 lines but {files['source']} has more")


@pytest.mark.parametrize("text", [TABLE[:-1], TABLE.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + TABLE])
def test_the_last_break_carriage_returns_and_a_byte_order_mark_do_not_matter(
    command: Any, small_model: Path, expected: list[Scored], text: bytes
) -> None:
    found = command("score", "-m", small_model, stdin=text).lines
    assert numbers(found) == pytest.approx([each.score for each in expected], abs=1e-4)


def test_no_pair_in_no_score_out(command: Any, small_model: Path, tmp_path: Path) -> None:
    ended = command("score", "-m", small_model, stdin=b"")
    assert (ended.status, ended.output) == (0, b"")
    (tmp_path / "empty").write_bytes(b"")
    ended = command("score", "-m", small_model, "-i", tmp_path / "empty", "-r", tmp_path / "empty")
    assert (ended.status, ended.output) == (0, b"")
    # A line without anything in it is a pair of empty lines.
    assert command("score", "-m", small_model, stdin=b"\n  \n\t\n").lines == ["0.0000"] * 3


@pytest.mark.parametrize("batch_size", ["--batch-size=1", "--batch-size=3", "--max-tokens=50"])
def test_as_many_scores_come_out_whatever_the_lines_hold(
    command: Any, small_model: Path, translator: Translator, batch_size: str
) -> None:
    strange = [
        b"", b"  ", b"a\xe2\x80\xa8b", b"a\xc2\x85b\x0b\x0c\x1cc", b"a\rb", b"\0", "😀👩‍👩‍👧".encode(),
        "漢字かな交じり文".encode(), b"\xff\xfe broken \xc3", b"\xed\xa0\x80", b"cat " * 60, b"x" * 200, "‮".encode(),
    ]  # fmt: skip
    pairs = [pair for each in strange for pair in (b"dog\t" + each, each + b"\tchien", b"dog\tchien")]
    ended = command("score", "-m", small_model, batch_size, stdin=b"\n".join(pairs))
    assert ended.status == 0
    assert len(ended.lines) == len(pairs)
    assert len(set(ended.lines[2::3])) == 1
    texts = [pair.decode("utf-8", "replace").split("\t") for pair in pairs]
    wanted = translator.score([source for source, _ in texts], [target for _, target in texts])
    assert numbers(ended.lines) == pytest.approx([each.score for each in wanted], abs=1e-3)
    assert ended.said.splitlines()[-1] == (
        "seq2seq-score: warning: standard input: the input is not UTF-8 in 12 places of 4 lines, first in line 25; "
        "U+FFFD stands there now"
    )


def test_log_probabilities_words_and_length_penalty(
    command: Any, small_model: Path, translator: Translator, expected: list[Scored]
) -> None:
    found = command("score", "-m", small_model, "--log-prob", stdin=TABLE).lines
    assert numbers(found) == pytest.approx([each.log_prob for each in expected], abs=1e-3)
    assert command("score", "-m", small_model, "--length-penalty", 0, stdin=TABLE).lines == found
    found = command("score", "-m", small_model, "--alpha", 0.5, stdin=TABLE).lines
    wanted = translator.score(SOURCES, TARGETS, length_penalty=0.5)
    assert numbers(found) == pytest.approx([each.score for each in wanted], abs=1e-3)
    lines = command("score", "-m", small_model, "--word-scores", stdin=TABLE).lines
    for line, target, each in zip(lines, TARGETS, expected, strict=True):
        score, words = line.split(" ||| ")
        assert float(score) == pytest.approx(each.score, abs=1e-3)
        assert numbers(words.split()) == pytest.approx(each.word_log_probs, abs=1e-3)
        assert len(words.split()) == len(target.split())


def test_json_lines(command: Any, small_model: Path, expected: list[Scored]) -> None:
    found = [json.loads(line) for line in command("score", "-m", small_model, "--json", stdin=TABLE).lines]
    for record, each, target in zip(found, expected, TARGETS, strict=True):
        if each.log_prob == -math.inf:
            assert (record["score"], record["log_prob"], record["perplexity"]) == (None, None, None)
            assert record["token_log_probs"] == [None] * (len(each.pieces) + 1)
            continue
        assert record == {
            "score": pytest.approx(each.score, abs=1e-4),
            "log_prob": pytest.approx(each.log_prob, abs=1e-3),
            "perplexity": pytest.approx(each.perplexity, rel=1e-3),
            "tokens": list(each.pieces),
            "token_log_probs": pytest.approx(each.piece_log_probs, abs=1e-3),
            "words": target.split(),
            "word_log_probs": pytest.approx(each.word_log_probs, abs=1e-3),
            "unknown_tokens": 0,
        }


def test_summary(command: Any, small_model: Path, files: dict[str, Path], expected: list[Scored]) -> None:
    arguments = ("score", "-m", small_model, "-i", files["source"], "--ref", files["ref"], "--summary")
    ended = command(*arguments)
    assert len(ended.lines) == 1
    assert ended.lines[0].startswith("5 pairs of ")
    assert len(ended.said.splitlines()) == 2
    report = json.loads(command(*arguments, "--json").output)
    possible = [each for each in expected if each.log_prob > -math.inf]
    log_prob = sum(each.log_prob for each in possible)
    pieces = sum(len(each.piece_log_probs) for each in possible)
    assert report == {
        "pairs": 5,
        "impossible": 1,
        "tokens": pieces,
        "words": 15,
        "unknown_tokens": 0,
        "log_prob": pytest.approx(log_prob, abs=1e-3),
        "perplexity_per_token": pytest.approx(math.exp(-log_prob / pieces), rel=1e-4),
        "perplexity_per_word": pytest.approx(math.exp(-log_prob / 15), rel=1e-4),
    }
    assert command("score", "-m", small_model, "--summary", stdin=b"").lines == [
        "0 pairs of 0 pieces and 0 words, ends counted: log-probability 0.0000, perplexity 1 per piece and 1 per word"
    ]


def test_sources_that_translation_would_split_are_named(
    command: Any, small_model: Path, translator: Translator
) -> None:
    long = "the small dog, " * 20
    pieces = len(translator.source_tokenizer.encode_one(long))
    assert pieces > 40
    ended = command("score", "-m", small_model, stdin=f"dog\tchien\n{long}\tle chien\ncat\tx\n{long}\tle\n".encode())
    assert float(ended.lines[1]) == pytest.approx(translator.score(long, "le chien").score, abs=1e-3)
    assert ended.said.splitlines()[2] == (
        "seq2seq-score: warning: 2 sources have more than the 40 pieces that translation reads at once, first that of "
        "pair 2; they were read whole"
    )


def test_several_models(command: Any, small_model: Path, characters: Path) -> None:
    ensemble = Translator.load([small_model, characters], device="cpu", combination="linear", weights=[3, 1])
    models = ("-m", small_model, characters, "--combination", "linear", "--weights", 3, 1)
    found = command("score", *models, stdin=TABLE).lines
    assert numbers(found) == pytest.approx([each.score for each in ensemble.score(SOURCES, TARGETS)], abs=1e-3)


def test_a_file_is_complete_or_not_there(command: Any, small_model: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.gz"
    ended = command("score", "-m", small_model, "-o", target, stdin=TABLE)
    assert (ended.status, ended.output) == (0, b"")
    assert len(gzip.decompress(target.read_bytes()).splitlines()) == 5
    # Of standard input nobody knows beforehand what is in it.
    other = tmp_path / "out"
    other.write_text("precious")
    ended = command("score", "-m", small_model, "-o", other, "--batch-size", 8, stdin=b"dog\tchien\n" * 8 + b"dog\n")
    assert ended.status == 2
    assert "standard input, line 9: 1 column where a source, a tab and its target were expected" in ended.said
    assert f"the first 8 lines are in {other}.partial" in ended.said
    assert other.read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "-i source --ref short --batch-size 1",
            "{here}/short has 3 lines but {here}/source has more: they do not belong together",
        ),
        ("-i short --ref source", "{here}/short has 3 lines but {here}/source has more"),
        ("-i source", "{here}/source, line 1: 1 column where a source, a tab and its target were expected"),
        ("-i wide --batch-size 1", "{here}/wide, line 2: 3 columns where a source, a tab and its target were expected"),
        ("--ref ref", "--ref needs --input, the sources of these targets; - is stdin"),
        ("-i - --ref -", "--input and --ref are both standard input; name a file for one of them"),
        ("-i missing --ref ref", "the input file {here}/missing does not exist"),
        ("-i source --ref missing", "the input file {here}/missing does not exist"),
        ("-i bad.gz --ref ref", "the input file {here}/bad.gz is a damaged or incomplete gz file"),
        ("-i source --ref ref -o ref", "the output {here}/ref is the input too; name another file"),
        ("-i source --ref ref -o source", "the output {here}/source is the input too; name another file"),
        ("-i source --ref ref -o no/out", "the folder no for the output out does not exist"),
        ("-i source --ref ref --summary --log-prob", "--summary writes one line for the whole text; leave out --log-"),
        ("-i source --ref ref --length-penalty -1", "--alpha: must be a number of 0 or more, not '-1'"),
        ("-i source --ref ref --batch-size 0", "--batch-size: must be a whole number of 1 or more, not '0'"),
        ("-i source --ref ref --beam 5", "there is no option --beam"),
        ("-i source --ref ref --weights 1", "--weights is for an ensemble"),
        ("-i source --ref ref --one-best", "--rerank, --one-best and --feature options are for an n-best list"),
    ],
)
def test_bad_input_is_one_sentence(
    command: Any, small_model: Path, files: dict[str, Path], tmp_path: Path, arguments: str, message: str
) -> None:
    (tmp_path / "wide").write_text("a\tb\na\tb\tc\n")
    (tmp_path / "bad.gz").write_bytes(gzip.compress(b"dog\n" * 50)[:-9])
    known = {*files, "missing", "wide", "bad.gz"}
    words = [str(tmp_path / word) if word in known else word for word in arguments.split()]
    ended = command("score", "-m", small_model, *words, stdin=TABLE)
    assert message.replace("{here}", str(tmp_path)) in ended.error


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full on this system")
def test_a_full_disk_is_one_sentence(command: Any, small_model: Path) -> None:
    ended = command("score", "-m", small_model, "-o", "/dev/full", stdin=TABLE)
    assert ended.error == "cannot write /dev/full: No space left on device"
