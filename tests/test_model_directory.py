"""Model directories: what comes back, and every way in which one can be broken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from seq2seq.build import build_model
from seq2seq.errors import ModelError, Seq2SeqError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_directory import load_description, load_model, save_description, save_weights
from seq2seq.recipe import (
    AttentionName,
    BridgeName,
    CellName,
    ConnectionName,
    ContextName,
    ReadoutName,
    Recipe,
    TyingName,
)
from seq2seq.text.tokenizer import Tokenizer

ENGLISH = ["The old cat sees the dog.", "A dog runs home.", "We see the old house.", "You buy bread and milk."]
FRENCH = ["Le vieux chat voit le chien.", "Un chien court.", "Nous voyons la maison.", "Tu achètes du pain."]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def tokenizers() -> tuple[Tokenizer, Tokenizer]:
    """An English and a French one, of different sizes."""
    english = Tokenizer.train(ENGLISH, algorithm="char", vocabulary_size=100)
    french = Tokenizer.train(FRENCH, algorithm="char", vocabulary_size=100)
    assert english.vocabulary_size != french.vocabulary_size
    return english, french


def make_recipe(*, joint: bool, tying: str, hidden_size: int = 6) -> Recipe:
    return Recipe.model_validate(
        {
            "corpus": {
                "source_language": "en",
                "target_language": "fr",
                "train": [{"prefix": "data/train"}],
                "validation": [{"prefix": "data/valid"}],
            },
            "tokenizer": {"joint": joint},
            "model": {
                "encoder": {"hidden_size": 3, "embedding_size": 5},
                "decoder": {"hidden_size": hidden_size, "embedding_size": 5},
                "tying": tying,
            },
            "run": {"name": "test"},
        }
    )


def save(
    directory: Path, tokenizers: tuple[Tokenizer, Tokenizer], *, joint: bool = True, tying: str = "none", **changes: Any
) -> EncoderDecoder:
    source, target = tokenizers[0], tokenizers[0] if joint else tokenizers[1]
    recipe = make_recipe(joint=joint, tying=tying, **changes)
    torch.manual_seed(5)
    model = build_model(
        recipe.model, source_vocabulary=source.vocabulary_size, target_vocabulary=target.vocabulary_size
    )
    save_description(directory, recipe=recipe, source_tokenizer=source, target_tokenizer=target)
    save_weights(
        directory, model.state_dict(), source_tokenizer=source, target_tokenizer=target, metadata={"update": "17"}
    )
    return model


@pytest.mark.parametrize(
    ("tying", "joint"), [*((t, True) for t in get_args(TyingName)), ("none", False), ("decoder", False)]
)
def test_round_trip(tying: str, joint: bool, tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    model = save(tmp_path / "model", tokenizers, joint=joint, tying=tying)
    stored = load_model(tmp_path / "model", device=CPU)
    assert stored.recipe == make_recipe(joint=joint, tying=tying)
    assert stored.metadata["update"] == "17"
    assert not stored.model.training
    ours, theirs = dict(model.named_parameters()), dict(stored.model.named_parameters())
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert (stored.model.output.weight is stored.model.decoder.embedding.weight) == (tying in ("decoder", "all"))
    same = stored.model.encoder.embedding.weight is stored.model.decoder.embedding.weight
    assert same == (tying in ("embeddings", "all"))
    assert stored.source_tokenizer.to_bytes() == tokenizers[0].to_bytes()
    assert stored.target_tokenizer.to_bytes() == tokenizers[0 if joint else 1].to_bytes()
    assert (stored.target_tokenizer is stored.source_tokenizer) == joint
    files = {"recipe.yaml", "weights.safetensors", "source.spm", "format.json"} | (set() if joint else {"target.spm"})
    assert {path.name for path in (tmp_path / "model").iterdir()} == files

    source, lengths = torch.tensor([[5, 6, 3]]), torch.tensor([3])
    target_in = torch.tensor([[2, 7]])
    read, expected = stored.model(source, lengths, target_in), model.eval()(source, lengths, target_in)
    assert torch.equal(read.logits, expected.logits)


def test_no_numbers_are_drawn_that_the_weights_replace(directory: Path) -> None:
    before = torch.get_rng_state()
    stored = load_model(directory, device=CPU)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(parameter.device == CPU and parameter.requires_grad for parameter in stored.model.parameters())


NETWORKS: list[dict[str, Any]] = [
    *({"cell": name} for name in get_args(CellName)),
    *({"attention": {"type": name}} for name in get_args(AttentionName) if name != "none"),
    {"attention": {"type": "none", "context": "none"}},
    *({"attention": {"context": name}} for name in get_args(ContextName) if name != "none"),
    *({"readout": name} for name in get_args(ReadoutName)),
    *({"connection": name} for name in get_args(ConnectionName)),
    *({"bridge": name} for name in get_args(BridgeName)),
    {"generator": "copy"},
    {"context_gate": True},
]


@pytest.mark.parametrize("changes", NETWORKS, ids=lambda changes: "-".join(map(str, *changes.items())))
def test_every_network_comes_back(
    changes: dict[str, Any], tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]
) -> None:
    """All of its weights, whatever it is made of, under names that the next process finds again."""
    both = {"layers": 2, "embedding_size": 4, "cell": changes.get("cell", "gru")}
    both |= {"connection": changes.get("connection", "plain")}
    if both["cell"] == "lstm-projected":
        both["projection_size"] = 4
    summary = changes.get("attention") == {"type": "summary"}
    final = changes.get("bridge") == "final-state"
    encoder = both | {
        "hidden_size": 6 if final else 3,
        "directions": "forward" if summary or final else "bidirectional",
    }
    decoder = both | {key: changes[key] for key in ("readout", "context_gate") if key in changes}
    recipe = Recipe.model_validate(
        make_recipe(joint=True, tying="none").model_dump(exclude={"model"})
        | {
            "model": {
                "encoder": encoder,
                "decoder": decoder | {"hidden_size": 6},
                "attention": changes.get("attention", {}) | ({"heads": 2} if "multihead" in str(changes) else {}),
                "bridge": changes.get("bridge", "learned"),
                "generator": changes.get("generator", "softmax"),
            }
        }
    )
    tokenizer = tokenizers[0]
    torch.manual_seed(5)
    size = tokenizer.vocabulary_size
    model = build_model(recipe.model, source_vocabulary=size, target_vocabulary=size).eval()
    save_description(tmp_path, recipe=recipe, source_tokenizer=tokenizer, target_tokenizer=tokenizer)
    save_weights(tmp_path, model.state_dict(), source_tokenizer=tokenizer, target_tokenizer=tokenizer, metadata={})
    torch.manual_seed(6)
    stored = load_model(tmp_path, device=CPU)
    assert stored.recipe == recipe
    arguments = (torch.tensor([[5, 6, 3], [7, 3, 0]]), torch.tensor([3, 2]), torch.tensor([[2, 7, 8], [2, 9, 9]]))
    assert torch.equal(stored.model(*arguments).logits, model(*arguments).logits)
    assert sum(tensor.numel() for tensor in load_file(tmp_path / "weights.safetensors").values()) == sum(
        parameter.numel() for parameter in model.parameters()
    )


@pytest.mark.parametrize("tying", get_args(TyingName))
def test_tied_weights_are_stored_once(tying: str, tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    model = save(tmp_path, tokenizers, tying=tying)
    stored = load_file(tmp_path / "weights.safetensors")
    assert sum(tensor.numel() for tensor in stored.values()) == sum(p.numel() for p in model.parameters())
    embeddings = [name for name in stored if name.endswith(("embedding.weight", "output.weight"))]
    assert len(embeddings) == {"none": 3, "embeddings": 2, "decoder": 2, "all": 1}[tying]


def test_weights_by_parameter_name_fit_too(tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    """A running mean knows parameters only, each by the first of its names."""
    model = save(tmp_path, tokenizers, tying="all")
    means = {name: parameter.detach() + 1 for name, parameter in model.named_parameters()}
    save_weights(tmp_path, means, source_tokenizer=tokenizers[0], target_tokenizer=tokenizers[0], metadata={})
    loaded = dict(load_model(tmp_path, device=CPU).model.named_parameters())
    assert all(torch.equal(loaded[name], mean) for name, mean in means.items())


def test_weights_are_replaced(tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    model = save(tmp_path, tokenizers)
    with torch.no_grad():
        model.output.bias.fill_(0.25)
    tokenizer = tokenizers[0]
    state = model.state_dict()
    save_weights(tmp_path, state, source_tokenizer=tokenizer, target_tokenizer=tokenizer, metadata={"update": "18"})
    stored = load_model(str(tmp_path), device=CPU)
    assert (stored.model.output.bias == 0.25).all()
    assert stored.metadata["update"] == "18"


def test_the_recipe_stored_is_complete(tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    save(tmp_path, tokenizers)
    text = (tmp_path / "recipe.yaml").read_text("utf-8")
    assert "label_smoothing: 0.0" in text  # a default that nobody wrote
    assert json.loads((tmp_path / "format.json").read_text()) == {
        "version": 3,
        "source_tokenizer": tokenizers[0].fingerprint,
        "target_tokenizer": tokenizers[0].fingerprint,
    }


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, tokenizers: tuple[Tokenizer, Tokenizer]) -> Path:
    """A sound directory with separate tokenizers, to be copied and broken."""
    directory = tmp_path_factory.mktemp("sound") / "model"
    save(directory, tokenizers, joint=False)
    return directory


@pytest.fixture
def directory(sound: Path, tmp_path: Path) -> Path:
    """A copy of the sound directory."""
    return Path(shutil.copytree(sound, tmp_path / "model"))


def failure(directory: Path) -> str:
    """What loading says: one sentence, from the kind of error that users see without a traceback."""
    with pytest.raises(ModelError) as caught:
        load_model(directory, device=CPU)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    assert str(directory) in message
    return message.replace(str(directory), "MODEL")


def test_no_directory(tmp_path: Path) -> None:
    assert failure(tmp_path / "model").startswith(
        "MODEL: does not exist; a model directory is what seq2seq-train writes"
    )


def test_a_file_instead(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("text")
    assert failure(tmp_path / "model").startswith(
        "MODEL: is neither a directory nor a bundle; a model directory is what"
    )


@pytest.mark.parametrize("name", ["recipe.yaml", "source.spm", "target.spm"])
def test_a_missing_file(name: str, directory: Path) -> None:
    (directory / name).unlink()
    assert failure(directory) == f"MODEL: the model directory is incomplete, {name} is missing; copy it again"


def test_some_other_directory(directory: Path) -> None:
    (directory / "format.json").unlink()
    assert failure(directory) == "MODEL: this is no model directory, format.json is missing"


def test_no_weights_yet(directory: Path) -> None:
    (directory / "weights.safetensors").unlink()
    message = "MODEL: there are no weights yet; the first validation of its training writes weights.safetensors"
    assert failure(directory) == message
    load_description(directory)  # the rest is there


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_truncated_weights(kept: int, directory: Path) -> None:
    path = directory / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    assert failure(directory).startswith("MODEL/weights.safetensors: the file is damaged or truncated (")


def test_something_else_called_weights(directory: Path) -> None:
    (directory / "weights.safetensors").write_bytes(b"not a safetensors file at all, but long enough to be one")
    assert failure(directory).startswith("MODEL/weights.safetensors: the file is damaged or truncated (")


@pytest.mark.parametrize("content", ["{", "[1]", "", "\x00"])
def test_damaged_format(content: str, directory: Path) -> None:
    (directory / "format.json").write_text(content)
    assert failure(directory).startswith("MODEL/format.json: the file is damaged")


@pytest.mark.parametrize("version", [4, 99])
def test_newer_version(version: int, directory: Path) -> None:
    description = json.loads((directory / "format.json").read_text())
    (directory / "format.json").write_text(json.dumps(description | {"version": version}))
    assert failure(directory) == (
        f"MODEL/format.json: the model has format version {version}, but this release reads versions up to 3; "
        "install a newer release of seq2seq"
    )


@pytest.mark.parametrize("version", [None, 0, "1", 1.5, True])
def test_a_version_that_never_was(version: Any, directory: Path) -> None:
    description = json.loads((directory / "format.json").read_text())
    (directory / "format.json").write_text(json.dumps(description | {"version": version}))
    assert failure(directory).startswith("MODEL/format.json: the file is damaged, its version is ")


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_swapped_tokenizer(side: str, directory: Path) -> None:
    other = "target" if side == "source" else "source"
    shutil.copy(directory / f"{other}.spm", directory / f"{side}.spm")
    message = failure(directory)
    assert message.startswith(
        f"MODEL: the {side} tokenizer is not the one that the model was trained with (fingerprint "
    )
    assert message.endswith(f"); put back the original {side}.spm")


@pytest.mark.parametrize("name", ["recipe.yaml", "source.spm", "target.spm"])
def test_a_damaged_file(name: str, directory: Path) -> None:
    """The recipe's and the tokenizer's own sentences, which name the file."""
    (directory / name).write_bytes(b"[\xff")
    with pytest.raises(Seq2SeqError) as caught:
        load_model(directory, device=CPU)
    assert str(directory / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_of_other_tokenizers(directory: Path, tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    save(tmp_path / "other", tokenizers, joint=True)
    shutil.copy(tmp_path / "other" / "weights.safetensors", directory)
    assert failure(directory) == (
        "MODEL/weights.safetensors: the weights were trained with other tokenizers than those beside them"
    )


def test_weights_of_another_shape(directory: Path, tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    save(tmp_path / "other", tokenizers, joint=False, hidden_size=7)
    shutil.copy(tmp_path / "other" / "weights.safetensors", directory)
    assert failure(directory) == (
        "MODEL/weights.safetensors: the weights do not fit the recipe beside them, first at bridge.projection.weight; "
        "they are from another model"
    )


@pytest.mark.parametrize("change", ["more", "fewer"])
def test_weights_of_other_names(change: str, directory: Path) -> None:
    path = directory / "weights.safetensors"
    weights = load_file(path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    if change == "more":
        weights["a.weight"] = torch.zeros(1)
    else:
        del weights["output.bias"]
    save_file(weights, path, metadata=metadata)
    first = {"more": "a.weight", "fewer": "output.bias"}[change]
    assert f"do not fit the recipe beside them, first at {first}; they are from another model" in failure(directory)
