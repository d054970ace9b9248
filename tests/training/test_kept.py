"""Weights that a run keeps, and their average."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file

from seq2seq import Translator
from seq2seq.build import build_model
from seq2seq.cli import average
from seq2seq.errors import ModelError
from seq2seq.model_directory import load_description, load_model, read_weights
from seq2seq.recipe import load_stored_recipe
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.checkpoint_average import average_weights, started_apart
from seq2seq.training.kept import Keeper, best_of, kept_weights
from seq2seq.training.run import TrainingResult, train
from tests.conftest import RECIPE, save_small_model
from tests.training.test_fine_tuning import Silent, recipe_of, write_corpus


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def small() -> tuple[torch.nn.Module, Tokenizer]:
    recipe = recipe_of()
    model = build_model(recipe.model, source_vocabulary=9, target_vocabulary=9)
    return model, Tokenizer.train(["a b c d e"], algorithm="char", vocabulary_size=40)


def keeper(folder: Path, small: tuple[torch.nn.Module, Tokenizer], *, last: int, best: int, metric: str) -> Keeper:
    return Keeper(folder, last=last, best=best, metric=metric, source_tokenizer=small[1], target_tokenizer=small[1])


def updates(folder: Path) -> list[int]:
    """The updates whose weights are there, and nothing else is."""
    assert not [path for path in folder.iterdir() if path.name.endswith(".tmp")]
    return sorted(int(path.stem[len("update-") :]) for path in folder.glob("update-*.safetensors"))


BLEU = [3.0, 9.0, 9.0, math.nan, 1.0, 8.0, 2.0]


@pytest.mark.parametrize(
    ("last", "best", "metric", "expected"),
    [
        (0, 0, "bleu", []),
        (3, 0, "bleu", [5, 6, 7]),
        (0, 1, "bleu", [2]),  # of equal ones the first
        (0, 3, "bleu", [2, 3, 6]),
        (1, 2, "bleu", [2, 3, 7]),
        (2, 3, "bleu", [2, 3, 6, 7]),
        (0, 2, "loss", [5, 7]),
        (0, 9, "bleu", [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_the_last_and_the_best_are_kept(
    folder: Path, small: tuple, last: int, best: int, metric: str, expected: Sequence[int]
) -> None:
    keeps = keeper(folder, small, last=last, best=best, metric=metric)
    for update, value in enumerate(BLEU, start=1):
        keeps.add(small[0], update=update, figures={"loss": value, "bleu": value, "chrf": 0.5, "seconds": 3})
        assert len(updates(folder)) <= last + best
    assert updates(folder) == list(expected)
    if expected:
        path = folder / f"update-{expected[0]}.safetensors"
        weights, metadata = read_weights(path)
        assert all(torch.equal(weights[name], value) for name, value in small[0].named_parameters())
        assert (metadata["update"], metadata["bleu"]) == (str(expected[0]), str(BLEU[expected[0] - 1]))


def test_fewer_are_kept_when_fewer_are_asked_for(folder: Path, small: tuple) -> None:
    for update, last in enumerate([3, 3, 3, 1, 0], start=1):
        keeps = keeper(folder, small, last=last, best=0, metric="bleu")
        keeps.add(small[0], update=update, figures={"loss": 1.0, "bleu": 1.0, "chrf": 1.0})
        assert updates(folder) == [[1], [1, 2], [1, 2, 3], [4], []][update - 1]


def test_what_is_not_kept_weights_is_left_alone(folder: Path, small: tuple) -> None:
    for name in ("update-7x.safetensors", "update-.safetensors", "checkpoint.safetensors", "lock"):
        (folder / name).write_text("mine")
    (folder / "update-3.safetensors").write_text("damaged")
    keeps = keeper(folder, small, last=1, best=0, metric="bleu")
    keeps.add(small[0], update=9, figures={"loss": 1.0, "bleu": 1.0, "chrf": 1.0})
    assert [each.update for each in kept_weights(folder)] == [9]
    keeps.forget_after(8)
    assert not (folder / "update-9.safetensors").exists()
    assert (folder / "checkpoint.safetensors").read_text() == "mine"
    assert (folder / "update-7x.safetensors").exists()


# A run


KEEP = ("training.keep={last: 2, best: 1}", "training.validation={every_updates: 3, metric: loss, sentences: 1}")


def run(*overrides: str) -> TrainingResult:
    return train(recipe_of(*overrides), display=Silent())


@pytest.fixture
def trained(folder: Path) -> TrainingResult:
    write_corpus({"one": "un", "two": "deux", "three": "trois", "four": "quatre", "five": "cinq", "six": "six"})
    return run(*KEEP)


def test_a_run_keeps_what_its_validations_saw(trained: TrainingResult) -> None:
    records = [json.loads(line) for line in (trained.directory / "journal.jsonl").read_text().splitlines()]
    losses = {record["update"]: record["loss"] for record in records if record["kind"] == "validation"}
    assert len(losses) > 3
    best = min(losses, key=lambda update: losses[update])
    assert updates(trained.directory / "training") == sorted({*list(losses)[-2:], best})
    for kept in kept_weights(trained.directory / "training"):
        assert kept.figures["loss"] == losses[kept.update]
    best_kept, _ = read_weights(trained.directory / "training" / f"update-{best}.safetensors")
    served, _ = read_weights(trained.directory / "weights.safetensors")
    assert all(torch.equal(best_kept[name], served[name]) for name in served)


def test_a_continued_run_keeps_the_same_and_forgets_what_came_after(trained: TrainingResult) -> None:
    run(*KEEP, "run.name=parts", "training.epochs=1")
    training = Path("runs/parts/training")
    shutil.copy(training / f"update-{updates(training)[-1]}.safetensors", training / "update-9999.safetensors")
    run(*KEEP, "run.name=parts")
    assert updates(training) == updates(trained.directory / "training")
    for update in updates(training):
        one, other = (read_weights(where / "training" / f"update-{update}.safetensors")[0] for where in
                      (trained.directory, Path("runs/parts")))  # fmt: skip
        assert all(torch.equal(one[name], other[name]) for name in one)
    # How many are kept may change.
    run("training.keep={last: 1}", KEEP[1], "run.name=parts", "training.epochs=3")
    assert len(updates(training)) == 1


# Averages


def test_the_mean_is_taken_in_float64(folder: Path) -> None:
    """In float32 the small number would be lost beside the large ones that cancel."""
    for name, value in (("a", 1e8), ("b", 0.75), ("c", -1e8)):
        save_file({"x": torch.tensor([value, 3.0])}, folder / name, metadata={"update": name})
    mean, metadata = average_weights([folder / name for name in "abc"])
    assert mean["x"].dtype == torch.float32
    assert mean["x"].tolist() == [0.25, 3.0]
    assert [each["update"] for each in metadata] == ["a", "b", "c"]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_lost_weights_are_not_averaged(folder: Path, bad: float) -> None:
    for name, value in (("a", 1.0), ("b", bad)):
        save_file({"x": torch.tensor([value])}, folder / name)
    with pytest.raises(ModelError, match=r"b: x holds numbers that are infinite or none"):
        average_weights([folder / "a", folder / "b"])
    save_file({"x": torch.ones(2)}, folder / "b")
    with pytest.raises(ModelError, match=r"b: its weights are those of another network than in .*a"):
        average_weights([folder / "a", folder / "b"])


def average_of(paths: Sequence[Path]) -> dict[str, numpy.ndarray]:
    """By numpy."""
    files = [load_file(path) for path in paths]
    return {name: numpy.mean([file[name].astype(numpy.float64) for file in files], axis=0) for name in files[0]}


@pytest.mark.parametrize("choice", [["--last", "2"], ["--best", "2"], ["--updates", "3,9"], ["--last=1"]])
def test_a_run_is_averaged_into_a_model(folder: Path, choice: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_corpus({"one": "un", "two": "deux", "three": "trois", "four": "quatre", "five": "cinq", "six": "six"})
    run("training.keep={last: 9}", KEEP[1])
    folder_of_kept = Path("runs/old/training")
    kept = kept_weights(folder_of_kept)
    chosen = {
        "--last": kept[-2:],
        "--best": best_of(kept, 2, metric="loss"),
        "--updates": [each for each in kept if each.update in (3, 9)],
        "--last=1": kept[-1:],
    }[choice[0]]
    capsys.readouterr()
    assert average.main(["runs/old", *choice, "-o", "runs/mean", "--evaluate"]) == 0
    output = capsys.readouterr()
    stored, metadata = read_weights(Path("runs/mean/weights.safetensors"))
    expected = average_of([each.path for each in chosen])
    assert stored.keys() == expected.keys()
    for name, value in expected.items():
        assert numpy.array_equal(stored[name].numpy(), value.astype(numpy.float32)), name
    origins = json.loads(metadata["average_of"])
    assert [(each["file"], int(each["update"])) for each in origins] == [(str(e.path), e.update) for e in chosen]
    assert [float(each["loss"]) for each in origins] == [each.figures["loss"] for each in chosen]
    # It is a model like any other, and says what it scores.
    assert load_stored_recipe("runs/mean/recipe.yaml") == load_stored_recipe("runs/old/recipe.yaml")
    assert sorted(path.name for path in Path("runs/mean").iterdir()) == [
        "format.json", "recipe.yaml", "source.spm", "target.spm", "weights.safetensors",
    ]  # fmt: skip
    loaded = load_model("runs/mean", device=torch.device("cpu"))
    assert loaded.metadata["average_of"] == metadata["average_of"]
    assert isinstance(Translator.load("runs/mean", device="cpu").translate("one two").text, str)
    assert output.out.splitlines()[1].startswith("  BLEU = ")
    said = output.err.splitlines()
    assert said[0] == f"averaged {len(chosen)} sets of weights into runs/mean:"
    assert said[1].startswith(f"  {chosen[0].path}: update {chosen[0].update}, loss {chosen[0].figures['loss']:.3f}, ")
    assert not list(Path("runs").glob(".*"))


def test_models_of_one_recipe_are_averaged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = [save_small_model(folder / name, seed=seed) for name, seed in (("a", 39), ("b", 40), ("c", 41))]
    assert average.main([*map(str, models), "--output", "mean"]) == 0
    stored, _ = read_weights(Path("mean/weights.safetensors"))
    for name, value in average_of([model / "weights.safetensors" for model in models]).items():
        assert numpy.array_equal(stored[name].numpy(), value.astype(numpy.float32))
    assert "warning" not in capsys.readouterr().err
    recipe = folder / "b" / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("seed: 1", "seed: 2"))
    assert average.main([*map(str, models), "-o", "other", "-q"]) == 0
    assert capsys.readouterr().err.startswith(
        "seq2seq-average: warning: these models began from different random weights, and the mean of such"
    )


def test_models_trained_with_other_dropout_are_averaged_and_with_zoneout_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def with_encoder_key(text: str) -> str:
        return RECIPE.replace("hidden_size: 12", f"hidden_size: 12, {text}")

    save_small_model(folder / "a")
    save_small_model(folder / "noisy", recipe_text=with_encoder_key("dropout: 0.5, word_dropout: 0.1"))
    save_small_model(
        folder / "zones", recipe_text=with_encoder_key("recurrent_dropout_kind: zoneout, recurrent_dropout: 0.5")
    )
    assert average.main(["a", "noisy", "-o", "mean"]) == 0
    assert Path("mean/weights.safetensors").is_file()
    assert average.main(["a", "zones", "-o", "other"]) == 2
    assert "zones: has another network than a (model.encoder.recurrent_dropout_kind is" in capsys.readouterr().err


def test_a_model_and_what_was_tuned_from_it_began_alike(trained: TrainingResult) -> None:
    run("run.name=new", "training.fine_tuning.model=runs/old", "run.seed=7", "training.epochs=1")
    run("run.name=newer", "training.fine_tuning.model=runs/new", "run.seed=8", "training.epochs=1")
    assert not started_apart([Path("runs/old"), Path("runs/new"), Path("runs/newer")])
    shutil.rmtree("runs/new")
    assert started_apart([Path("runs/old"), Path("runs/newer")])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models that go together, or do not."""
    folder = tmp_path_factory.mktemp("average")
    save_small_model(folder / "a")
    save_small_model(folder / "wide", recipe_text=RECIPE.replace("hidden_size: 12", "hidden_size: 14"))
    shutil.copytree(folder / "a", folder / "other-pieces")
    tokenizer = Tokenizer.train(["something else"], algorithm="char", vocabulary_size=30)
    recipe, _, _ = load_description(folder / "a")
    from seq2seq.model_directory import save_description

    save_description(folder / "other-pieces", recipe=recipe, source_tokenizer=tokenizer, target_tokenizer=tokenizer)
    shutil.copytree(folder / "a", folder / "untrained")
    (folder / "untrained" / "weights.safetensors").unlink()
    shutil.copytree(folder / "a", folder / "kept")
    (folder / "kept" / "training").mkdir()
    for update in (3, 5):
        shutil.copy(folder / "a" / "weights.safetensors", folder / "kept" / "training" / f"update-{update}.safetensors")
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["a", "-o", "out"],
            "one model has nothing to average; say which weights that a has kept, with --last, --best",
        ),
        (
            ["a", "kept", "--last", "2", "-o", "out"],
            "--last, --best and --updates choose among the weights of one run;",
        ),
        (["a", "--last", "2", "-o", "out"], "a/training: 2 are to be averaged, but there are none kept; raise"),
        (
            ["kept", "--best", "3", "-o", "out"],
            "kept/training: 3 are to be averaged, but there are 2 kept, of updates 3 ",
        ),
        (
            ["kept", "--updates", "3,4", "-o", "out"],
            "kept/training: the weights of update 4 are not kept; there are 2 ",
        ),
        (["kept", "--updates", "3,3", "-o", "out"], "argument --updates: names an update twice: 3,3"),
        (["kept", "--updates", "3,x", "-o", "out"], "argument --updates: must be a whole number of 1 or more, not 'x'"),
        (["kept", "--last", "0", "-o", "out"], "argument --last: must be a whole number of 1 or more, not '0'"),
        (["kept", "--last", "1", "--best", "1", "-o", "out"], "argument --best: not allowed with argument --last"),
        (["kept", "--last", "1", "-o", "a"], "the output a exists already; name another folder, or remove it first"),
        (["kept", "--last", "1", "-o", "no/out"], "the folder no for the output out does not exist; make it first"),
        (["kept", "--last", "1"], "the following arguments are required: -o/--output"),
        (["nothing", "--last", "1", "-o", "out"], "nothing: does not exist; a model directory is what seq2seq-train"),
        (
            ["a", "wide", "-o", "out"],
            "wide: has another network than a (model.encoder.hidden_size is 14 against 12), so",
        ),
        (["a", "other-pieces", "-o", "out"], "other-pieces: has another source vocabulary than a, so their weights"),
        (["a", "untrained", "-o", "out"], "untrained: there are no weights yet; the first validation of its training"),
    ],
)
def test_mistakes_are_one_sentence(
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(models)
    assert average.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"seq2seq-average: error: {message}")
    assert said.count("\n") == 1
    assert not (models / "out").exists()
    assert not list(models.glob(".*"))
