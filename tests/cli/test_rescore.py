"""N-best lists through seq2seq-score."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from seq2seq.translator import Translator

SOURCES = ["Where is the station?", "", "two tickets, please"]
LIST = [
    (0, "Où est la gare ?", "logprob= -1.5 tm= -1 -2", -0.25),
    (0, "Où est le gare ?", "logprob= -1.25 tm= -3 -1", -0.5),
    (0, "la gare", "logprob= -9.75 tm= 0 -0.5", -2.5),
    (1, "rien", "logprob= -4 tm= 0 0", -4),
    (1, "", "logprob= 0.0 tm= 0 0", 0),
    (2, "deux billets", "logprob= -2 tm= -0.5 -0.5", -1),
    (2, "deux billets", "logprob= -3 tm= -1 -1", -1),
    (2, "un billet", "logprob= -2.5 tm= -0.25 0", -0.75),
]
LINES = [f"{number} ||| {text} ||| {features} ||| {score} ||| 0-0" for number, text, features, score in LIST]
#: The entries of every source.
GROUPS = [[0, 1, 2], [3, 4], [5, 6, 7]]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    contents = {"source": SOURCES, "list": LINES, "fewer": SOURCES[:2], "more": [*SOURCES, "x"], "ref": SOURCES}
    for name, lines in contents.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return {name: tmp_path / name for name in contents}


@pytest.fixture
def log_probs(translator: Translator) -> list[float]:
    found = translator.score([SOURCES[number] for number, *_ in LIST], [text for _, text, *_ in LIST])
    assert found[3].log_prob == -float("inf")
    assert found[4].log_prob == 0.0
    return [each.log_prob for each in found]


def reranked(totals: list[float]) -> list[int]:
    """Places in the list, the best of every source first."""
    return [place for group in GROUPS for place in sorted(group, key=lambda place: -totals[place])]


@pytest.mark.parametrize("batch_size", [1, 3, 64])
@pytest.mark.parametrize("how", ["plain", "packed", "stdin", "sources"])
def test_a_feature_more(
    command: Any, small_model: Path, files: dict[str, Path], log_probs: list[float], batch_size: int, how: str
) -> None:
    source, n_best, stdin = files["source"], files["list"], b""
    if how == "packed":
        n_best.write_bytes(gzip.compress(n_best.read_bytes()))
    elif how == "stdin":
        n_best, stdin = Path("-"), n_best.read_bytes()
    elif how == "sources":
        source, stdin = Path("-"), source.read_bytes()
    arguments = ("-i", source, "--n-best", n_best, "--batch-size", batch_size)
    ended = command("score", "-m", small_model, *arguments, stdin=stdin)
    assert ended.status == 0
    for line, found, log_prob in zip(LINES, ended.lines, log_probs, strict=True):
        before, after = line.split(" ||| "), found.split(" ||| ")
        features, name, value = after[2].rsplit(" ", 2)
        assert [*after[:2], features, *after[3:]] == before
        assert name == "seq2seq="
        assert float(value) == pytest.approx(log_prob, abs=1e-3)
    assert ended.said.splitlines()[1].startswith("seq2seq-score: 8 pairs in ")


def test_the_lists_that_the_toolkit_writes(command: Any, small_model: Path, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("".join(f"{line}\n" for line in [*SOURCES, "the small dog"]), "utf-8")
    model = ("-m", small_model, "-i", tmp_path / "source")
    n_best = command("translate", *model, "--n-best", 4, "--alignment")
    (tmp_path / "list").write_bytes(n_best.output)
    ended = command("score", *model, "--n-best", tmp_path / "list", "--feature-name", "again")
    assert [line.count(" again= ") for line in ended.lines] == [1] * len(n_best.lines)
    # And what is written can be read again.
    (tmp_path / "twice").write_bytes(ended.output)
    weights = ("--feature-weights", "logprob=-1", "again=0")
    worst = command("score", *model, "--n-best", tmp_path / "twice", *weights, "--one-best").lines
    by_source: dict[str, list[tuple[float, str]]] = {}
    for line in n_best.lines:
        number, text, features, *_ = line.split(" ||| ")
        by_source.setdefault(number, []).append((float(features.split()[1]), text))
    assert worst == [min(entries, key=lambda entry: entry[0])[1] for entries in by_source.values()]
    assert (len(worst), worst[1]) == (4, "")


def test_reranking_by_the_model(
    command: Any, small_model: Path, translator: Translator, files: dict[str, Path], log_probs: list[float]
) -> None:
    arguments = ("score", "-m", small_model, "-i", files["source"], "--n-best", files["list"], "--rerank")
    for penalty in (None, 0.0, 2.0):
        scored = translator.score(
            [SOURCES[number] for number, *_ in LIST], [text for _, text, *_ in LIST], length_penalty=penalty
        )
        totals = [each.score for each in scored]
        order = reranked(totals)
        ended = command(*arguments, *([] if penalty is None else ["--length-penalty", penalty]))
        found = [line.split(" ||| ") for line in ended.lines]
        assert [(fields[0], fields[1], fields[2].partition(" seq2seq")[0]) for fields in found] == [
            (str(LIST[place][0]), LIST[place][1], LIST[place][2]) for place in order
        ]
        assert [float(fields[3]) for fields in found] == pytest.approx([totals[place] for place in order], abs=1e-3)
        assert all(fields[4] == "0-0" for fields in found)
    assert order != list(range(8))


def test_reranking_by_a_weighted_sum(
    command: Any, small_model: Path, files: dict[str, Path], log_probs: list[float], tmp_path: Path
) -> None:
    weights = ("--feature-weights", "logprob=0.5", "mine=0.01", "tm=1,-2", "score=0.25")
    values = [
        0.5 * float(features.split()[1])
        + 0.01 * log_prob
        + float(features.split()[3])
        - 2 * float(features.split()[4])
        + 0.25 * score
        for (_, _, features, score), log_prob in zip(LIST, log_probs, strict=True)
    ]
    order = reranked(values)
    assert order != list(range(8))
    model = ("score", "-m", small_model, "-i", files["source"], "--n-best", files["list"], "--feature-name", "mine")
    ended = command(*model, "--rerank", *weights)
    found = [line.split(" ||| ") for line in ended.lines]
    assert [fields[1] for fields in found] == [LIST[place][1] for place in order]
    assert [float(fields[3]) for fields in found] == pytest.approx([values[place] for place in order], abs=1e-3)
    # Of equal ones, here all, the first stays first.
    assert [line.split(" ||| ")[1] for line in command(*model, "--rerank", "--feature-weights", "mine=0").lines] == [
        text for _, text, *_ in LIST
    ]
    ended = command(*model, "--one-best", *weights, "-o", tmp_path / "best")
    assert (tmp_path / "best").read_text("utf-8") == "".join(
        f"{LIST[next(place for place in order if place in group)][1]}\n" for group in GROUPS
    )


def test_no_source_no_entries(command: Any, small_model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    ended = command("score", "-m", small_model, "-i", tmp_path / "empty", "--n-best", tmp_path / "empty", "--one-best")
    assert (ended.status, ended.output) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--n-best list", "--n-best needs --input, the sources of the list; - is stdin"),
        ("-i source --n-best list --ref ref", "--n-best and --ref are both translations to score; give one of them"),
        ("-i - --n-best -", "--input and --n-best are both standard input; name a file for one of them"),
        ("-i source --n-best list --json", "--n-best writes an n-best list; leave out --json"),
        ("-i source --n-best list --word-scores", "--n-best writes an n-best list; leave out --word-scores"),
        (
            "-i source --n-best list --feature-weights tm=1,1",
            "--feature-weights is for --rerank or --one-best; add one of them",
        ),
        ("--rerank", "--rerank, --one-best and --feature options are for an n-best list; name it with --n-best"),
        ("-i source --n-best list --feature-name a=b", "a feature cannot be called 'a=b'"),
        ("-i source --n-best list --feature-name tm", "{here}/list, line 1: there is a feature tm already; choose ano"),
        (
            "-i source --n-best list --rerank --feature-weights lm=1",
            "{here}/list, line 1: there is no feature lm, only logprob, tm, seq2seq, score",
        ),
        (
            "-i source --n-best list --rerank --feature-weights tm=1",
            "{here}/list, line 1: the number of values of the feature tm is 2, but that of its weights 1",
        ),
        (
            "-i source --n-best list --rerank --feature-weights tm",
            "--feature-weights: must be NAME=X with a number for X, not 'tm'",
        ),
        (
            "-i source --n-best list --rerank --feature-weights tm=",
            "--feature-weights: must be NAME=X with a number for X, not 'tm='",
        ),
        (
            "-i source --n-best list --rerank --feature-weights tm=1,x",
            "--feature-weights: must be NAME=X with a number for X, not 'tm=1,x'",
        ),
        ("-i source --n-best list --rerank --feature-weights tm=1 tm=2", "--feature-weights names a feature twice"),
        (
            "-i more --n-best list --batch-size 1",
            "{here}/list ends with the entries of 3 sources, but {here}/more has more: they do not belong together",
        ),
        (
            "-i fewer --n-best list",
            "{here}/list, line 6: id 2 is that of line 3 of {here}/fewer, which has 2: they do not belong together",
        ),
        (
            "-i source --n-best malformed --batch-size 1",
            "{here}/malformed, line 9: 2 fields where `id ||| text ||| features ||| score",
        ),
        ("-i source --n-best binary", "{here}/binary, line 1: 1 field where"),
        (
            "-i source --n-best sparse --rerank --feature-weights tm=1,1 --batch-size 1",
            "{here}/sparse, line 9: there is no feature tm, only logprob, seq2seq, score",
        ),
        ("-i source --n-best missing", "the input file {here}/missing does not exist"),
        ("-i source --n-best list -o list", "the output {here}/list is the input too; name another file"),
    ],
)
def test_bad_input_is_one_sentence(
    command: Any, small_model: Path, files: dict[str, Path], tmp_path: Path, arguments: str, message: str
) -> None:
    (tmp_path / "malformed").write_text("".join(f"{line}\n" for line in [*LINES, "3 ||| a"]), "utf-8")
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "sparse").write_text("".join(f"{line}\n" for line in [*LINES, "2 ||| a ||| logprob= 1 ||| 0"]), "utf-8")
    known = {*files, "missing", "malformed", "binary", "sparse"}
    words = [str(tmp_path / word) if word in known else word for word in arguments.split()]
    ended = command("score", "-m", small_model, *words)
    assert message.replace("{here}", str(tmp_path)) in ended.error


def test_what_is_found_wrong_in_a_pipe_is_found_when_it_comes(
    command: Any, small_model: Path, files: dict[str, Path]
) -> None:
    arguments = ("score", "-m", small_model, "-i", files["source"], "--n-best", "-", "--batch-size", 2)
    ended = command(*arguments, stdin="".join(f"{line}\n" for line in [*LINES[:5], "oops"]).encode())
    assert ended.status == 2
    assert len(ended.lines) == 3
    assert ended.said.splitlines()[-1].startswith("seq2seq-score: error: standard input, line 6: 1 field where")
