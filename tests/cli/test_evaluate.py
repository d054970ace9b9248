from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import sacrebleu

from seq2seq.recipe import dump_recipe, load_recipe
from seq2seq.translator import Translator

SOURCES = ["Where is the station?", "the small dog", "two tickets, please", "bread"]
REFERENCES = ["Où est la gare ?", "le petit chien", "deux billets, s'il vous plaît", "du pain"]
MINE = ["Où est la gare ?", "le petit chat", "deux billets, s'il vous plaît", "le pain"]
THEIRS = ["Où est le gare ?", "le chien", "un billet", "du pain"]


def lines(path: Path, text: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in text), "utf-8")
    return path


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return {
        name: lines(tmp_path / name, text)
        for name, text in {
            "source": SOURCES,
            "ref": REFERENCES,
            "ref2": THEIRS,
            "mine": MINE,
            "theirs": THEIRS,
            "labels": ["a", "b", "b", "a"],
            "short": SOURCES[:3],
        }.items()
    }


def test_hypotheses_are_scored_as_sacrebleu_does(command, files: dict[str, Path]) -> None:
    ended = command(
        "evaluate", "--hypotheses", files["mine"], "--ref", files["ref"], "--metrics", "bleu", "chrf", "ter"
    )
    bleu, chrf, ter = sacrebleu.BLEU(), sacrebleu.CHRF(), sacrebleu.TER()
    assert ended.lines == [
        f"{files['mine']}: 4 sentences",
        *(
            f"  {name} = {scorer.corpus_score(MINE, [REFERENCES]).score:.2f} ({scorer.get_signature()})"
            for name, scorer in (("BLEU", bleu), ("chrF2", chrf), ("TER", ter))
        ),
    ]
    assert ended.said == ""
    stdin = "".join(f"{line}\n" for line in MINE).encode()
    again = command("evaluate", "--hyp", "-", "--tgt", files["ref"], "--metrics", "bleu", "chrf", "ter", stdin=stdin)
    assert again.lines == ["standard input: 4 sentences", *ended.lines[1:]]


def test_json_groups_references_and_options(command, files: dict[str, Path]) -> None:
    arguments = ("--hyp", files["mine"], "-r", files["ref"], "-r", files["ref2"], "--groups", files["labels"])
    ended = command("evaluate", *arguments, "--lowercase", "--tokenize", "char", "--metrics", "bleu", "--json")
    report = json.loads(ended.output)
    scorer = sacrebleu.BLEU(lowercase=True, tokenize="char")
    expected = scorer.corpus_score(MINE, [REFERENCES, THEIRS]).score
    (found,) = report["test_sets"]
    assert found["scores"][0]["score"] == pytest.approx(expected)
    assert found["scores"][0]["signature"] == str(scorer.get_signature())
    assert "nrefs:2" in found["scores"][0]["signature"]
    assert [(group["name"], group["sentences"]) for group in found["groups"]] == [("a", 2), ("b", 2)]


def test_confidence(command, files: dict[str, Path]) -> None:
    ended = command("evaluate", "--hyp", files["mine"], "--ref", files["ref"], "--confidence", 50, "--metrics", "chrf")
    expected = sacrebleu.CHRF().corpus_score(MINE, [REFERENCES], n_bootstrap=50)
    assert f" (μ = {expected._mean:.2f} ± {expected._ci:.2f}) (nrefs:1|bs:50|seed:12345|" in ended.lines[1]


def test_a_model_translates_a_text(command, small_model: Path, translator: Translator, files: dict[str, Path]) -> None:
    saved = files["source"].with_name("saved")
    arguments = ("--src", files["source"], "--ref", files["ref"], "-o", saved, "--beam", 2, "--metrics", "chrf")
    ended = command("evaluate", "--model", small_model, *arguments)
    translations = [translation.text for translation in translator.translate(SOURCES, beam=2)]
    assert saved.read_text("utf-8").split("\n") == [*translations, ""]
    expected = sacrebleu.CHRF().corpus_score(translations, [REFERENCES]).score
    assert ended.lines[0].startswith(f"{files['source']}: 4 sentences in ")
    assert ended.lines[1].startswith(f"  chrF2 = {expected:.2f} (")
    assert ended.said == f"seq2seq-evaluate: model {small_model} (--model) on cpu, fp32\n"


def test_a_model_translates_the_test_sets_of_its_recipe(
    command, small_model: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(small_model, model)
    recipe = load_recipe(
        model / "recipe.yaml",
        [
            "corpus.test=[{name: one, source: "
            + f"{files['source']}, target: {files['ref']}, groups: {files['labels']}"
            + "}]",
            "evaluation.metrics=[ter]",
        ],
    )
    (model / "recipe.yaml").write_text(dump_recipe(recipe), "utf-8")
    ended = command("evaluate", "-m", model, "-q")
    assert [line.split(" = ")[0] for line in ended.lines[1:]] == [
        "  TER",
        "  a (2 sentences): TER",
        "  b (2 sentences): TER",
    ]
    assert ended.lines[0].startswith("one: 4 sentences in ")
    report = json.loads(command("evaluate", "-m", model, "-q", "--json", "--metrics", "bleu").output)
    assert report["model"] == str(model)
    assert [score["metric"] for score in report["test_sets"][0]["scores"]] == ["bleu"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "has no corpus.test; name a text with --input and --ref"),
        ("-i source", "--input needs --ref, the translations to compare with"),
        ("--hyp mine", "--hypotheses needs --ref"),
        ("--ref ref", "--ref needs --input, for the model to translate, or --hypotheses"),
        ("-i source --hyp mine --ref ref", "give one of them"),
        ("--groups labels", "--groups needs --ref"),
        ("--compare theirs", "--compare needs --ref"),
        ("--hyp mine --ref ref -o saved", "--output saves what a model translates"),
        ("--hyp mine --ref short", "mine has 4 lines but {here}/short has 3: they do not belong together"),
        ("--hyp mine --ref ref --ref short", "short has 3 lines but {here}/ref has 4"),
        ("-i source --ref short", "short has 3 lines but {here}/source has 4"),
        ("-i source --ref ref --groups short", "short has 3 lines but {here}/source has 4"),
        ("--hyp mine --ref missing", "missing does not exist"),
        ("--hyp mine --ref ref --metrics blue", "argument --metrics: invalid choice: 'blue'"),
        ("--hyp mine --ref ref --beam 0", "must be a whole number of 1 or more"),
    ],
)
def test_bad_input_is_one_sentence(
    command, small_model: Path, files: dict[str, Path], tmp_path: Path, arguments: str, message: str
) -> None:
    words = [str(tmp_path / word) if word in {*files, "missing", "saved"} else word for word in arguments.split()]
    assert message.replace("{here}", str(tmp_path)) in command("evaluate", "-m", small_model, *words).error
