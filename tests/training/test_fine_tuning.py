"""Fine-tuning: what is taken from the old model, what stays frozen, and that a continued run needs it no more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from seq2seq import Translator
from seq2seq.build import build_model
from seq2seq.cli.train import main
from seq2seq.data.batch import Batch
from seq2seq.errors import ModelError, RecipeError, TrainingError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_directory import load_description, load_model, read_weights
from seq2seq.recipe import CellName, Recipe, recipe_from_text
from seq2seq.training.fine_tuning import begin, first_tokenizers
from seq2seq.training.freezing import freeze
from seq2seq.training.objective import Objective
from seq2seq.training.optimizer import make_optimizer
from seq2seq.training.precision import Precision
from seq2seq.training.run import TrainingResult, train
from seq2seq.training.step import train_step
from tests.training.silent import Silent

CPU = torch.device("cpu")
WORDS = {"one": "un", "two": "deux", "three": "trois", "four": "quatre", "five": "cinq", "six": "six"}
#: Of another field: two words are gone and three are new.
OTHERS = {"one": "un", "two": "deux", "three": "trois", "four": "quatre", "cat": "chat", "dog": "chien", "six": "six"}

RECIPE = """\
corpus:
  source_language: en
  target_language: fr
  train: [{prefix: train}]
  validation: [{prefix: valid}]
tokenizer: {algorithm: word, vocabulary_size: 40, joint: false}
model:
  encoder: {cell: gru, hidden_size: 6, embedding_size: 5}
  decoder: {cell: gru, hidden_size: 6, embedding_size: 5, dropout: 0.1}
training:
  epochs: 2
  batch: 32
  precision: fp32
  optimizer: {name: adamw, learning_rate: 0.01, weight_decay: 0.1}
  validation: {sentences: 2}
  checkpoint_minutes: 1000
run: {name: old, tensorboard: false, threads: 1}
"""
TUNE = ("run.name=new", "training.fine_tuning.model=runs/old")


def write_corpus(words: dict[str, str]) -> None:
    pairs = [(one, other) for one in words for other in words]
    for part, chosen in (("train", pairs), ("valid", pairs[:4])):
        Path(f"{part}.en").write_text("".join(" ".join(pair) + "\n" for pair in chosen), "utf-8")
        text = "".join(" ".join(words[word] for word in reversed(pair)) + "\n" for pair in chosen)
        Path(f"{part}.fr").write_text(text, "utf-8")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_corpus(WORDS)
    return tmp_path


def recipe_of(*overrides: str) -> Recipe:
    return recipe_from_text(RECIPE, "recipe.yaml", overrides)


def run(*overrides: str) -> tuple[TrainingResult, Silent]:
    display = Silent()
    return train(recipe_of(*overrides), display=display), display


def old_model(*overrides: str) -> dict[str, Tensor]:
    """Train the model to start from, and return its weights under all of their names."""
    run(*overrides)
    return load_model("runs/old", device=CPU).model.state_dict()


def fresh_network(recipe: Recipe, tokenizers: Any) -> EncoderDecoder:
    torch.manual_seed(5)
    return build_model(
        recipe.model, source_vocabulary=tokenizers[0].vocabulary_size, target_vocabulary=tokenizers[1].vocabulary_size
    )


def begun(*overrides: str) -> tuple[EncoderDecoder, EncoderDecoder, list[str], Any]:
    """A network that fine-tuning begins with; its like with fresh weights; what is said; the tokenizers."""
    recipe = recipe_of(*TUNE, *overrides)
    tokenizers = first_tokenizers(recipe)
    said: list[str] = []
    model = fresh_network(recipe, tokenizers)
    begin(model, recipe, tokenizers, resumed=False, say=said.append)
    return model, fresh_network(recipe, tokenizers), said, tokenizers


def differing(one: dict[str, Tensor], other: dict[str, Tensor]) -> set[str]:
    """The names of tensors that are not equal to the last bit."""
    assert one.keys() == other.keys()
    return {name for name in one if not torch.equal(one[name], other[name])}


# What is taken


def test_every_weight_and_the_tokenizers_are_taken() -> None:
    old = old_model()
    write_corpus(OTHERS)  # the text has words that the old vocabulary lacks, which changes nothing
    model, _, said, tokenizers = begun()
    assert not differing(model.state_dict(), old)
    assert [each.to_bytes() for each in tokenizers] == [
        Path(f"runs/old/{side}.spm").read_bytes() for side in ("source", "target")
    ]
    assert said == ["starting from runs/old: all 20 parameters"]


def test_the_old_model_is_the_start_of_the_new_run() -> None:
    """With a learning rate next to nothing and no decay, what is validated first translates as the old model does."""
    old = old_model()
    result, _ = run(*TUNE, "training.optimizer={learning_rate: 1e-30}", "training.epochs=1")
    assert not differing(load_model(result.directory, device=CPU).model.state_dict(), old)
    translations = [Translator.load(f"runs/{name}", device="cpu").translate("one two") for name in ("old", "new")]
    assert translations[0] == translations[1]


@pytest.mark.parametrize("smoothing", [0.0, 0.9])
def test_a_checkpoint_is_a_model_to_start_from(smoothing: float) -> None:
    """Of its weights those that are served: the running mean, if there is one."""
    old_model(f"training.exponential_smoothing={smoothing}")
    stored, _ = read_weights(Path("runs/old/training/checkpoint.safetensors"))
    kind = "mean." if smoothing else "model."
    expected = {name.removeprefix(kind): value for name, value in stored.items() if name.startswith(kind)}
    for name in ("runs/old/training", "runs/old/training/checkpoint.safetensors"):
        model, _, said, _ = begun(f"training.fine_tuning.model={name}")
        assert not differing(dict(model.named_parameters()), expected)
        assert said == ["starting from runs/old/training/checkpoint.safetensors: all 20 parameters"]


def test_weights_of_a_kept_validation_are_a_model_to_start_from() -> None:
    run("training.keep.last=2")
    first, last = sorted(Path("runs/old/training").glob("update-*"), key=lambda path: int(path.stem[7:]))
    model, _, _, _ = begun(f"training.fine_tuning.model={first}")
    expected, _ = read_weights(first)
    assert not differing(dict(model.named_parameters()), expected)
    assert differing(expected, read_weights(last)[0]) == set(expected)


# The vocabulary


@pytest.mark.parametrize("tying", ["none", "decoder"])
def test_rows_follow_their_pieces(tying: str) -> None:
    old = old_model(f"model.tying={tying}")
    _, *before = load_description(Path("runs/old"))
    write_corpus(OTHERS)
    model, fresh, said, after = begun("training.fine_tuning.vocabulary=carry", f"model.tying={tying}")
    found, drawn = model.state_dict(), fresh.state_dict()
    for side, tables in (
        (0, ["encoder.embedding.weight"]),
        (1, ["decoder.embedding.weight", "output.weight", "output.bias"]),
    ):
        pieces = before[side].pieces(range(before[side].vocabulary_size))
        places = []
        for number, piece in enumerate(after[side].pieces(range(after[side].vocabulary_size))):
            places.append(pieces.index(piece) if piece in pieces else None)
            for table in tables:
                expected = drawn[table][number] if places[-1] is None else old[table][places[-1]]
                assert torch.equal(found[table][number], expected), (table, piece)
        # Five words and four special pieces stay, two words are new; and some have moved.
        assert [place is None for place in places].count(True) == 2
        assert any(place not in (None, number) for number, place in enumerate(places))
    rest = {name for name in found if "embedding" not in name and not name.startswith("output.")}
    assert not differing({name: found[name] for name in rest}, {name: old[name] for name in rest})
    assert said[1:] == [
        f"vocabulary: 9 of 11 {side} pieces are the old model's and keep their rows, 2 are drawn anew"
        for side in ("source", "target")
    ]


def test_rows_of_a_matrix_that_all_share() -> None:
    joint = ("tokenizer={algorithm: char, vocabulary_size: 60}", "model.tying=all")
    old = old_model(*joint)
    _, before, _ = load_description(Path("runs/old"))
    write_corpus(OTHERS)
    model, fresh, said, (after, _) = begun("training.fine_tuning.vocabulary=carry", *joint)
    assert model.output.weight is model.encoder.embedding.weight
    pieces = before.pieces(range(before.vocabulary_size))
    carried = 0
    for number, piece in enumerate(after.pieces(range(after.vocabulary_size))):
        if piece in pieces:
            carried += 1
            assert torch.equal(model.output.weight[number], old["output.weight"][pieces.index(piece)])
            assert torch.equal(model.output.bias[number], old["output.bias"][pieces.index(piece)])
        else:
            assert torch.equal(model.output.weight[number], fresh.output.weight[number])
    size = after.vocabulary_size
    assert 0 < carried < size
    assert said[1:] == [
        f"vocabulary: {carried} of {size} joint pieces are the old model's and keep their rows, {size - carried} are "
        "drawn anew"
    ]


def test_a_model_with_separate_matrices_can_start_from_one_that_shares_them_but_not_the_reverse() -> None:
    width = "model.decoder.embedding_size=6"
    old = old_model("model.tying=decoder", width)
    model, _, said, _ = begun("model.tying=none", width)
    assert not differing(model.state_dict(), old)
    assert model.output.weight is not model.decoder.embedding.weight
    assert said[1:] == ["note: other than in the old model, model.tying: decoder -> none"]
    shutil.rmtree("runs")
    run("model.tying=none", width)
    with pytest.raises(TrainingError) as caught:
        run(*TUNE, "model.tying=decoder", width)
    assert str(caught.value) == (
        "runs/old does not fit: decoder.embedding.weight and output.weight are one tied parameter in this recipe's "
        "network, but several there; look at model.tying, none there and decoder here; make them equal, or set "
        "training.fine_tuning.partial: true to start from what fits"
    )


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("tokenizer.vocabulary_size=50", "tokenizer.vocabulary_size is 50, but 40 in runs/old, whose tokenizers"),
        ("tokenizer.joint=true", "tokenizer.joint is true, but false in runs/old, whose tokenizers fine-tuning keeps"),
        (
            "tokenizer={algorithm: char, joint: true}",
            "tokenizer.algorithm is char, tokenizer.joint is true, but word, f",
        ),
        ("tokenizer={source_model: a, target_model: b, joint: false}", "tokenizer.source_model is a, tokenizer.target"),
    ],
)
def test_another_tokenizer_is_not_kept(override: str, sentence: str) -> None:
    run()
    with pytest.raises(RecipeError) as caught:
        run(*TUNE, override)
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith("remove what differs, or set training.fine_tuning.vocabulary: carry")
    assert not Path("runs/new").exists()


def test_sampling_must_suit_the_old_tokenizer() -> None:
    run()
    with pytest.raises(
        RecipeError, match=r"^tokenizer\.sampling: with the tokenizer of runs/old, algorithm word has one"
    ):
        run(*TUNE, "tokenizer={sampling: {alpha: 0.2}}")


def test_what_the_recipe_does_not_say_of_the_tokenizer_is_the_old_models(capsys: pytest.CaptureFixture[str]) -> None:
    run("tokenizer={algorithm: bpe, joint: false, vocabulary_size: 24, sampling: {alpha: 0.3}}")
    Path("recipe.yaml").write_text("\n".join(line for line in RECIPE.splitlines() if "tokenizer" not in line))
    assert main(["recipe.yaml", *TUNE, "--print-recipe"]) == 0
    printed = recipe_from_text(capsys.readouterr().out, "printed")
    assert (printed.tokenizer.algorithm, printed.tokenizer.vocabulary_size, printed.tokenizer.joint) == (
        "bpe",
        24,
        False,
    )
    assert printed.tokenizer.sampling is None  # how text is drawn in training is the new recipe's own
    assert main(["recipe.yaml", *TUNE, "training.epochs=1"]) == 0
    (stored := recipe_from_text(Path("runs/new/recipe.yaml").read_text(), "stored"))
    assert stored.tokenizer == printed.tokenizer
    assert main(["recipe.yaml", *TUNE, "model.tying=all"]) == 2
    assert "model.tying: with the tokenizer of runs/new, all needs one vocabulary" in capsys.readouterr().err
    # A printed recipe is one that can be trained.
    Path("printed.yaml").write_text(Path("runs/new/recipe.yaml").read_text())
    assert main(["printed.yaml", "run.name=again"]) == 0
    assert main(["printed.yaml", "run.name=checked", "--check"]) == 0
    assert not Path("runs/checked").exists()


# What does not fit


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ["model.encoder.hidden_size=7"],
            "encoder.stack.layers.0.ahead.w_ih is 18 x 5 there, but 21 x 5 in this recipe's network (10 more do not "
            "fit); look at model.encoder.hidden_size, 6 there and 7 here",
        ),
        (
            ["model.encoder.embedding_size=4", "model.decoder.hidden_size=7"],
            "encoder.embedding.weight is 10 x 5 there, but 10 x 4 in this recipe's network (11 more do not fit); "
            "look at model.encoder.embedding_size, 5 there and 4 here",
        ),
        (
            ["model.decoder.layers=2"],
            "bridge.projection.weight is 6 x 12 there, but 12 x 12 in this recipe's network (5 more do not fit); look "
            "at model.decoder.layers, 1 there and 2 here",
        ),
        (
            ["model.attention={type: none, context: none}"],
            "decoder.attention",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(overrides: list[str], sentence: str) -> None:
    run()
    with pytest.raises(TrainingError) as caught:
        run(*TUNE, *overrides)
    message = str(caught.value)
    assert message.startswith(f"runs/old does not fit: {sentence}")
    assert message.endswith("; make them equal, or set training.fine_tuning.partial: true to start from what fits")
    assert "\n" not in message
    assert not Path("runs/new/format.json").exists(), "nothing has begun, so that the mended recipe can begin"


def test_a_part_can_be_taken() -> None:
    old = old_model()
    model, fresh, said, _ = begun("training.fine_tuning.partial=true", "model.decoder.hidden_size=7")
    found, drawn = model.state_dict(), fresh.state_dict()
    fitting = {name for name in found if name in old and found[name].shape == old[name].shape}
    assert all(torch.equal(found[name], old[name]) for name in fitting)
    others = [name for name in found if name not in fitting]
    assert all(torch.equal(found[name], drawn[name]) for name in others)
    assert "encoder.embedding.weight" in fitting
    assert "decoder.layers.0.w_hh" in others
    assert said == [
        f"starting from runs/old: {len(fitting)} of 20 parameters",
        f"drawn anew, since nothing fits: {', '.join(others)}",
        "note: other than in the old model, model.decoder.hidden_size: 6 -> 7",
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("runs/odl", "training.fine_tuning.model: runs/odl does not exist; name a directory that seq2seq-train wrote"),
        ("train.en", "training.fine_tuning.model: train.en holds no model; name a directory that seq2seq-train wrote"),
        ("runs/old/weights", "training.fine_tuning.model: runs/old/weights does not exist; name a directory that"),
        ("runs/new", "training.fine_tuning.model: runs/new is the run's own folder; choose another run.name, such as"),
    ],
)
def test_no_model_to_start_from(name: str, message: str) -> None:
    run()
    if name == "runs/new":
        shutil.copytree("runs/old", "runs/new")
    for fresh in (True,) if name == "runs/new" else (False, True):
        with pytest.raises(ModelError) as caught:
            train(recipe_of(*TUNE, f"training.fine_tuning.model={name}"), display=Silent(), fresh=fresh)
        assert str(caught.value).startswith(message)
    assert not Path("runs/new.1").exists()


def test_a_model_that_is_not_trained_yet() -> None:
    run()
    Path("runs/old/weights.safetensors").unlink()
    with pytest.raises(
        ModelError, match=r"runs/old/weights\.safetensors does not exist; that model is not trained yet"
    ):
        run(*TUNE)


# Frozen parameters

FREEZE = 'training.fine_tuning.freeze=[encoder, "decoder.attention.*", output.bias]'
EVERYTHING = (*TUNE, FREEZE, "training.exponential_smoothing=0.9")


def test_what_is_frozen_stays_to_the_last_bit() -> None:
    """Through weight decay, the running mean, and the optimizer, which does not know it."""
    old = old_model()
    result, display = run(*EVERYTHING)
    stored, _ = read_weights(result.directory / "training" / "checkpoint.safetensors")
    served = load_model(result.directory, device=CPU).model.state_dict()
    frozen = [name for name in old if name.startswith(("encoder.", "decoder.attention.")) or name == "output.bias"]
    assert 0 < len(frozen) < len(old)
    for name, value in old.items():
        for found in (stored[f"model.{name}"], stored[f"mean.{name}"], served[name]):
            assert torch.equal(found, value) == (name in frozen), name
    states = {name.split(".")[1] for name in stored if name.startswith("optimizer.")}
    assert len(states) == len(old) - len(frozen)
    numbers = sum(old[name].numel() for name in frozen), sum(value.numel() for value in old.values())
    assert f"frozen: {len(frozen)} of 20 parameters, {numbers[0]:,} of {numbers[1]:,} numbers" in display.said


@pytest.mark.parametrize("change", [(), ("training.fine_tuning.vocabulary=carry",)])
def test_a_continued_run_is_the_run_in_one_and_needs_the_old_model_no_more(change: tuple[str, ...]) -> None:
    run()
    whole, _ = run(*EVERYTHING, *change, "run.name=whole")
    run(*EVERYTHING, *change, "training.epochs=1")
    shutil.move("runs/old", "elsewhere")
    parts, display = run(*EVERYTHING, *change)
    assert any("continuing after update" in line for line in display.said)
    assert not any("starting from" in line for line in display.said)
    for name in ("weights.safetensors", "training/checkpoint.safetensors"):
        one, other = (read_weights(result.directory / name)[0] for result in (whole, parts))
        assert not differing(one, other)
    # The path may say where the model has gone, but what is frozen may not change.
    run(*EVERYTHING, *change, "training.fine_tuning.model=elsewhere")
    with pytest.raises(TrainingError, match=r"training\.fine_tuning\.freeze: \[encoder, .*\] -> \[encoder\]"):
        run(*EVERYTHING, *change, "training.fine_tuning.freeze=[encoder]", "training.epochs=3")


def test_a_run_is_its_own_from_the_first_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted before its first update, it continues without the old model."""
    from seq2seq.training.trainer import Trainer

    run()

    def interrupted(self: Trainer) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(*TUNE)
    whole, _ = run(*TUNE, "run.name=whole")
    shutil.rmtree("runs/old")
    continued, _ = run(*TUNE)
    one, other = (read_weights(each.directory / "weights.safetensors")[0] for each in (whole, continued))
    assert not differing(one, other)


def test_a_pattern_that_matches_nothing_and_one_that_matches_all() -> None:
    run()
    for patterns, message in (
        ("[encodr]", "the pattern 'encodr' matches no parameter; the nearest names are encoder, "),
        (
            "[encoder, output.wieght]",
            "the pattern 'output.wieght' matches no parameter; the nearest names are output.w",
        ),
        ("['*']", "every parameter is frozen; leave one out, or there is no training"),
        ("[encoder, decoder, bridge, output]", "every parameter is frozen; leave one out, or there is no training"),
    ):
        with pytest.raises(RecipeError) as caught:
            run(*TUNE, f"training.fine_tuning.freeze={patterns}")
        assert str(caught.value).startswith(f"training.fine_tuning.freeze: {message}")
        assert not Path("runs/new/format.json").exists()


def test_a_tied_parameter_is_frozen_by_any_of_its_names(make_model: Callable[..., EncoderDecoder]) -> None:
    said: list[str] = []
    model = make_model(tying="all")
    freeze(model, ("output.weight",), say=said.append)
    assert not model.encoder.embedding.weight.requires_grad
    assert [name for name, each in model.named_parameters() if not each.requires_grad] == ["encoder.embedding.weight"]
    assert said[1] == (
        "note: encoder.embedding.weight and decoder.embedding.weight and output.weight are one tied parameter, which "
        "is frozen"
    )


@pytest.mark.parametrize("pattern", ["encoder", "decoder.layers", "*.w_hh", "decoder.embedding"])
@pytest.mark.parametrize("cell", get_args(CellName))
def test_the_others_learn_as_they_would_anyway(
    cell: str, pattern: str, make_model: Callable[..., EncoderDecoder], make_pairs: Callable[..., Batch]
) -> None:
    """Every kernel gives the gradients that are wanted where some are not."""
    gradients = []
    for patterns in ((), (pattern,)):
        model = make_model(cell=cell, tying="none")
        if not patterns:
            everything = set(dict(model.named_parameters()))
        elif not any(pattern.lstrip("*") in name for name in everything):
            pytest.skip("this cell has no such parameter")
        freeze(model, patterns, say=lambda _: None)
        trained = [each for each in model.parameters() if each.requires_grad]
        optimizer = make_optimizer(
            trained,
            name="sgd",
            learning_rate=0.1,
            betas=(0.9, 0.9),
            epsilon=1e-8,
            weight_decay=0.0,
            momentum=0.0,
            rho=0.9,
        )
        precision = Precision(dtype=torch.float32, device=CPU)
        train_step(
            model, [make_pairs()], optimizer=optimizer, precision=precision, learning_rate=0.1,
            objective=Objective(label_smoothing=0.0),
            clip_by="none", clip_threshold=1.0,
        )  # fmt: skip
        gradients.append({name: each.grad for name, each in model.named_parameters() if each.grad is not None})
    before, after = gradients
    assert 0 < len(after) < len(before)
    for name, gradient in after.items():
        assert gradient is not None
        assert torch.allclose(gradient, before[name], atol=1e-7), name


def test_the_journal_and_the_recipe_remember_the_start() -> None:
    run()
    result, _ = run(*TUNE)
    stored = recipe_from_text((result.directory / "recipe.yaml").read_text(), "stored")
    assert stored.training.fine_tuning is not None
    assert stored.training.fine_tuning.model == "runs/old"
    kinds = [json.loads(line)["kind"] for line in (result.directory / "journal.jsonl").read_text().splitlines()]
    assert kinds[0] == "start"
