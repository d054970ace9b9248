"""Several systems through seq2seq-evaluate: tables, names, breakdowns, forms of the report, and what goes wrong."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import sacrebleu

from seq2seq.recipe import dump_recipe, load_recipe
from seq2seq.translator import Translator

SOURCES = ["Where is the station?", "the small dog", "two tickets, please", "bread"]
REFERENCES = ["Où est la gare ?", "le petit chien", "deux billets, s'il vous plaît", "du pain"]
MINE = ["Où est la gare ?", "le petit chat", "deux billets, s'il vous plaît", "le pain"]
THEIRS = ["Où est le gare ?", "le chien", "un billet", "du pain"]
WORST = ["gare", "chien", "billet", "non"]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for name, text in {
        "from": SOURCES,
        "ref": REFERENCES,
        "mine": MINE,
        "theirs": THEIRS,
        "sub/mine": WORST,
        "lr=0.1": WORST,
        "labels": ["a", "b", "b", "a"],
        "short": SOURCES[:3],
        "corpus": ["le le le la", "le chien", "du pain"],
    }.items():
        found[name] = tmp_path / name
        found[name].parent.mkdir(exist_ok=True)
        found[name].write_text("".join(f"{line}\n" for line in text), "utf-8")
    return found


def chrf(lines: list[str], resamples: int = 0) -> Any:
    return sacrebleu.CHRF().corpus_score(lines, [REFERENCES], n_bootstrap=resamples)


def figure(score: Any) -> str:
    return f"{score.score:.2f} ± {score._ci:.2f}"


def test_several_hypotheses_make_a_table(command, files: dict[str, Path]) -> None:
    arguments = ("--hyp", files["mine"], f"other={files['theirs']}", "--ref", files["ref"], "--metrics", "chrf")
    lines = command("evaluate", *arguments, "--confidence", 50).lines
    assert lines[0] == f"{files['ref']}: 4 sentences, 2 systems, by paired bootstrap resampling:"
    figures = [figure(chrf(MINE, 50)), figure(chrf(THEIRS, 50))]
    width = max(map(len, figures))
    assert lines[2] == f"  mine    {figures[0]:>{width}}"
    difference = chrf(THEIRS).score - chrf(MINE).score
    assert lines[3].startswith(f"  other   {figures[1]:>{width}}  {difference:+.2f}  0.")
    assert "  chrF2: nrefs:1|bs:50|seed:12345|case:mixed|eff:yes|nc:6|nw:0|space:no|version:" in "\n".join(lines)
    # --compare says the same in another way, once for all files or once for each.
    again = ("--hyp", files["mine"], "--ref", files["ref"], "--metrics", "chrf", "--confidence", 50, "--compare")
    assert command("evaluate", *again, f"other={files['theirs']}").lines == lines
    three = command("evaluate", *again, files["theirs"], files["lr=0.1"]).lines
    assert three == command("evaluate", *again, files["theirs"], "--compare", files["lr=0.1"]).lines
    assert [line.split()[0] for line in three[2:5]] == ["mine", "theirs", "lr=0.1"]


def test_without_a_number_there_are_1000_resamples(command, files: dict[str, Path]) -> None:
    arguments = ("--hyp", files["mine"], files["theirs"], "--ref", files["ref"], "--metrics", "chrf", "--json")
    report = json.loads(command("evaluate", *arguments, "--by-length", 3).output)
    mine, theirs = report["comparison"]["systems"]
    assert "p_value" not in mine["scores"][0]
    assert 0.0 < theirs["scores"][0]["p_value"] < 0.5
    for score in (mine["scores"][0], theirs["scores"][0], report["test_sets"][0]["scores"][0]):
        assert "|bs:1000|" in score["signature"]
        assert score["confidence_half_width"] > 0.0


def test_randomization_has_trials_and_intervals(command, files: dict[str, Path]) -> None:
    arguments = ("--hyp", files["mine"], files["lr=0.1"], "--ref", files["ref"], "--metrics", "chrf", "--json")
    ended = command("evaluate", *arguments, "--significance", "randomization", "--trials", 40, "--confidence", 30)
    comparison = json.loads(ended.output)["comparison"]
    assert comparison["test"] == "randomization"
    score = comparison["systems"][1]["scores"][0]
    assert "|bs:30|ar:40|" in score["signature"]
    assert score["confidence_half_width"] > 0.0
    # Of 2 ** 4 ways to change sides, two have the difference observed, and none a larger one.
    assert score["p_value"] == pytest.approx(1 / 41)


@pytest.mark.parametrize("case", ["--lowercase", "--no-lowercase", "--both-cases"])
def test_systems_are_compared_as_they_are_scored(command, files: dict[str, Path], case: str) -> None:
    loud = files["mine"].with_name("loud")
    loud.write_text("".join(f"{line.upper()}\n" for line in MINE), "utf-8")
    arguments = ("--hyp", loud, "--ref", files["ref"], "--compare", files["theirs"], "--tokenize", "char", case)
    report = json.loads(command("evaluate", *arguments, "--confidence", 5, "--json").output)
    scored = [score["score"] for score in report["test_sets"][0]["scores"]]
    compared = [score["score"] for score in report["comparison"]["systems"][0]["scores"]]
    assert compared == pytest.approx(scored)


def test_systems_are_called_as_their_files(command, files: dict[str, Path]) -> None:
    here = ("--ref", files["ref"], "--metrics", "chrf", "--confidence", 5, "--json")

    def names(*systems: str) -> list[str]:
        report = json.loads(command("evaluate", "--hyp", *systems, *here).output)
        return [system["name"] for system in report["comparison"]["systems"]]

    mine, sub, strange = (str(files[name]) for name in ("mine", "sub/mine", "lr=0.1"))
    assert names(mine, str(files["theirs"])) == ["mine", "theirs"]
    folder = files["mine"].parent.name
    assert names(mine, sub) == [f"{folder}/mine", "sub/mine"]
    assert names(f"b={sub}", mine, strange) == ["b", "mine", "lr=0.1"]
    assert names(f"b={strange}", mine) == ["b", "mine"]


def test_groups_lengths_and_frequencies(command, files: dict[str, Path]) -> None:
    arguments = ("--hyp", files["mine"], files["theirs"], "--ref", files["ref"], "--metrics", "chrf", "--confidence", 9)
    breakdowns = ("--groups", files["labels"], "--by-length", 3, "--frequency-corpus", files["corpus"])
    report = json.loads(command("evaluate", *arguments, *breakdowns, "--by-frequency", 0, 1, "--json").output)
    groups, lengths, words = report["test_sets"][0]["breakdowns"]
    assert [each["by"] for each in (groups, lengths, words)] == ["group", "length", "frequency"]
    assert [(each["name"], each["count"]) for each in groups["buckets"]] == [("a", 2), ("b", 2)]
    # The second and the fourth reference have 3 and 2 tokens, the others more.
    assert [(each["name"], each["count"]) for each in lengths["buckets"]] == [("1-3", 2), ("4+", 2)]
    found = lengths["buckets"][0]["systems"]["theirs"][0]
    expected = sacrebleu.CHRF().corpus_score([THEIRS[1], THEIRS[3]], [[REFERENCES[1], REFERENCES[3]]], n_bootstrap=9)
    assert (found["score"], found["confidence_half_width"]) == pytest.approx((expected.score, expected._ci))
    # le, 4 times in the corpus, is once in the references, where both systems have it too; each has one more elsewhere.
    assert words["buckets"][-1]["name"] == "2+"
    precision = [words["buckets"][-1]["systems"][name][1]["score"] for name in ("mine", "theirs")]
    assert precision == pytest.approx([100 / 2, 100 / 2])
    lines = command("evaluate", *arguments, *breakdowns, "--by-frequency", 0, 1).lines
    assert "chrF2 by length of the reference, in tokens (13a):" in lines
    assert "recall by frequency of words in corpus:" in lines
    assert max(len(line) for line in lines if line.startswith("  ")) <= 120


def test_one_system_is_broken_down_too(command, files: dict[str, Path]) -> None:
    arguments = ("--hyp", files["mine"], "--src", files["from"], "--ref", files["ref"], "--metrics", "chrf")
    breakdowns = ("--groups", files["labels"], "--length-of", "source", "--by-frequency")
    lines = command("evaluate", *arguments, *breakdowns).lines
    assert lines[0] == f"{files['mine']}: 4 sentences"
    assert [line.split(":")[0] for line in lines if line and not line.startswith("  ")][1:] == [
        "chrF2 by length of the source, in tokens (13a)",
        "F1 by frequency of words in the references",
        "precision by frequency of words in the references",
        "recall by frequency of words in the references",
    ]
    assert sum(line.startswith("  a (2 sentences): chrF2 = ") for line in lines) == 1
    place = lines.index("chrF2 by length of the source, in tokens (13a):")
    assert lines[place + 1 : place + 3] == [
        "  length  sentences   mine",
        f"  1+              4  {chrf(MINE).score:.2f}",
    ]
    [test] = json.loads(command("evaluate", *arguments, *breakdowns, "--json").output)["test_sets"]
    assert [each["by"] for each in test["breakdowns"]] == ["length", "frequency"]
    assert [group["name"] for group in test["groups"]] == ["a", "b"]


def test_in_markdown(command, files: dict[str, Path]) -> None:
    arguments = ("--ref", files["ref"], "--metrics", "chrf", "--markdown", "--groups", files["labels"])
    lines = command("evaluate", "--hyp", files["mine"], files["theirs"], *arguments, "--confidence", 50).lines
    assert lines[0] == f"## {files['ref']}"
    assert lines[6] == f"| mine | {figure(chrf(MINE, 50))} |  |  |"
    assert "### chrF2 by group" in lines
    lines = command("evaluate", "--hyp", files["mine"], *arguments).lines
    assert f"| mine | {chrf(MINE).score:.2f} |" in lines
    assert "### chrF2 by group" in lines


def test_groups_are_not_told_twice(command, files: dict[str, Path], tmp_path: Path) -> None:
    arguments = ("--hyp", files["mine"], "--ref", files["ref"], "--groups", files["labels"], "--confidence", 5)
    lines = command("evaluate", *arguments, "--metrics", "chrf").lines
    assert len(lines) == 4
    assert command("evaluate", *arguments, "--metrics", "chrf", "--plot", tmp_path / "groups.svg").lines == lines
    assert "chrF2 by group" in (tmp_path / "groups.svg").read_text("utf-8")


@pytest.mark.parametrize(("case", "precision"), [("--lowercase", 50.0), ("--no-lowercase", 0.0), ("--both-cases", 0.0)])
def test_words_have_the_case_of_the_scores(command, files: dict[str, Path], case: str, precision: float) -> None:
    loud = files["mine"].with_name("loud")
    loud.write_text("".join(f"{line.upper()}\n" for line in MINE), "utf-8")
    arguments = ("--hyp", loud, "--ref", files["ref"], "--frequency-corpus", files["corpus"], "--by-frequency", 3)
    (words,) = json.loads(command("evaluate", *arguments, case, "--json").output)["test_sets"][0]["breakdowns"]
    # le, the only word that is more than three times in the corpus: once in the references, twice in the translations.
    assert words["buckets"][-1]["name"] == "4+"
    scores = words["buckets"][-1]["systems"]["loud"]
    assert scores[0]["score"] == pytest.approx(200 / 3 if precision else 0.0)
    assert (scores[1] or {"score": 0.0})["score"] == pytest.approx(precision)


def test_a_figure(command, files: dict[str, Path], tmp_path: Path) -> None:
    picture = tmp_path / "systems.svg"
    arguments = ("--hyp", files["mine"], files["theirs"], "--ref", files["ref"], "--plot", picture, "--confidence", 5)
    ended = command("evaluate", *arguments, "--by-length", 3, "--by-frequency")
    assert ended.lines[0].endswith("2 systems, by paired bootstrap resampling:")
    drawn = picture.read_text("utf-8")
    for text in ("chrF2 by length", "F1 by frequency", "theirs", "with 95 % confidence intervals"):
        assert text in drawn


def test_a_model_is_compared_with_other_systems(
    command, small_model: Path, translator: Translator, files: dict[str, Path]
) -> None:
    arguments = ("-m", small_model, "-q", "-i", files["from"], "--ref", files["ref"], "--metrics", "chrf", "--json")
    ended = command("evaluate", *arguments, "--compare", files["mine"], f"x={files['theirs']}", "--confidence", 5)
    report = json.loads(ended.output)
    names = [system["name"] for system in report["comparison"]["systems"]]
    assert names == [small_model.name, "mine", "x"]
    translations = [translation.text for translation in translator.translate(SOURCES)]
    assert report["comparison"]["systems"][0]["scores"][0]["score"] == pytest.approx(chrf(translations).score)
    assert report["model"] == str(small_model)
    lines = command("evaluate", *arguments[:-1], "--compare", files["mine"], "--confidence", 5).lines
    assert re.match(rf"{re.escape(str(files['from']))}: 4 sentences in \d+\.\d s, 2 systems, by paired", lines[0])
    taken = command("evaluate", *arguments, "--compare", f"{small_model.name}={files['mine']}")
    assert f"another system is called {small_model.name}, like the model; tell it apart with NAME=FILE" in taken.error


@pytest.fixture
def model(small_model: Path, files: dict[str, Path], tmp_path: Path) -> Path:
    """A model whose recipe has two test sets, and was trained on a text that is here."""
    directory = tmp_path / "model"
    shutil.copytree(small_model, directory)
    corpus = f"source: {files['corpus']}, target: {files['corpus']}x"
    shutil.copy(files["corpus"], f"{files['corpus']}x")
    test = f"source: {files['from']}, target: {files['ref']}"
    changes = [f"corpus.train=[{{{corpus}}}]", f"corpus.test=[{{name: one, {test}}}, {{name: two, {test}}}]"]
    recipe = load_recipe(directory / "recipe.yaml", changes)
    (directory / "recipe.yaml").write_text(dump_recipe(recipe), "utf-8")
    return directory


def test_test_sets_are_broken_down_by_the_training_corpus(
    command, model: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    picture = tmp_path / "tests.svg"
    arguments = ("-m", model, "-q", "--by-frequency", "--by-length", "--metrics", "chrf")
    report = json.loads(command("evaluate", *arguments, "--json", "--plot", picture, "--confidence", 5).output)
    assert [test["name"] for test in report["test_sets"]] == ["one", "two"]
    for test in report["test_sets"]:
        words = test["breakdowns"][-1]
        assert words["title"] == "frequency of words in corpus"
        # In the training text: le 4 times, la, chien, du and pain once, and all others never.
        assert [(each["name"], each["count"]) for each in words["buckets"]][1:] == [("1", 4), ("2-4", 1)]
    assert "one: 4 sentences" in picture.read_text("utf-8")
    assert "two: 4 sentences" in picture.read_text("utf-8")
    markdown = command("evaluate", *arguments, "--markdown").lines
    assert [line for line in markdown if line.startswith("## ")] == ["## one", "## two"]
    Path(f"{files['corpus']}x").unlink()
    assert command("evaluate", *arguments).error == (
        "--by-frequency counts words in the training corpus of the model, but the corpus file "
        f"{files['corpus']}x does not exist; name a text with --frequency-corpus"
    )
    assert command("evaluate", *arguments, "--frequency-corpus", files["ref"]).status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--hyp mine short --ref ref", "short has 3 lines but {here}/ref has 4: they do not belong together"),
        ("--hyp mine --ref ref --compare mine", "{here}/mine would be compared with itself"),
        ("--hyp mine x={here}/mine --ref ref", "{here}/mine would be compared with itself"),
        ("--hyp x={here}/mine x={here}/theirs --ref ref", "two systems are called x; tell them apart with NAME=FILE"),
        ("--hyp mine missing --ref ref", "missing does not exist"),
        ("--hyp x={here}/missing --ref ref", "missing does not exist"),
        ("--hyp mine empty --ref ref", "empty has 0 lines but {here}/ref has 4"),
        ("--hyp empty --ref empty", "there is nothing to score"),
        ("--hyp mine binary --ref ref", "binary, line 1, byte 1: the file is UTF-16, not UTF-8"),
        ("--hyp - --ref -", "standard input, -, is named more than once; it can be read only once"),
        ("--hyp mine theirs --ref ref --trials 9", "--trials is for --significance randomization"),
        ("--hyp mine --ref ref --length-of source", "--length-of source reads the sources too; name them with --src"),
        ("--hyp mine --ref ref --by-length 9 9", "buckets that end at 9 9 are not in order; name numbers from 1 on"),
        ("--hyp mine --ref ref --by-length 0", "buckets that end at 0 are not in order; name numbers from 1 on"),
        ("--hyp mine --ref ref --by-frequency 2 1", "buckets that end at 2 1 are not in order; name numbers from 0 on"),
        ("--hyp mine --ref ref --by-length x", "argument --by-length: invalid int value: 'x'"),
        ("--hyp mine --ref ref --frequency-corpus missing", "missing does not exist"),
        ("--hyp mine --ref ref --plot a.jpeg", "the figure a.jpeg has no known ending; name it .png, .svg, .pdf"),
        ("--hyp mine --ref ref --plot nowhere/a.png", "the folder nowhere for the output a.png does not exist"),
        ("--hyp mine --ref ref --json --markdown", "argument --markdown: not allowed with argument --json"),
        ("--hyp mine --ref ref --comet-model x", "--comet-model is for --metrics comet; add that, or leave it out"),
        ("--compare theirs", "--compare needs --ref with --input or --hypotheses"),
    ],
)
def test_bad_input_is_one_sentence(
    command, files: dict[str, Path], tmp_path: Path, arguments: str, message: str
) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x01")
    known = {*files, "missing", "empty", "binary"}
    words = [str(tmp_path / word) if word in known else word for word in arguments.split()]
    ended = command("evaluate", *(word.replace("{here}", str(tmp_path)) for word in words))
    assert message.replace("{here}", str(tmp_path)) in ended.error
