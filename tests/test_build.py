"""From recipe to objects: which classes, how many parameters, which tokenizers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from seq2seq.build import build_model, build_tokenizers, parallel_text
from seq2seq.model.bridge import FinalStateBridge, TanhBridge, ZeroBridge
from seq2seq.nn.attention import AdditiveAttention, DotAttention, GeneralAttention, MultiheadAttention
from seq2seq.recipe import AttentionName, BridgeName, CellName, Model, Recipe, TextSource
from seq2seq.text.tokenizer import Tokenizer

ENGLISH = ["The old cat sees the dog.", "A dog runs home.", "We see the old house.", "You buy bread and milk."] * 3
FRENCH = ["Le vieux chat voit le chien.", "Un chien court.", "Nous voyons la maison.", "Tu achètes du pain."] * 3


def recurrent(cell: str, inputs: int, hidden: int) -> int:
    """Of each gate: a matrix for the inputs, one for the state, two biases."""
    return {"lstm": 4, "gru": 3}[cell] * hidden * (inputs + hidden + 2)


def model(**sections: Any) -> Model:
    return Model.model_validate(sections)


def count(description: Model, source: int = 50, target: int = 70) -> int:
    network = build_model(description, source_vocabulary=source, target_vocabulary=target)
    return sum(parameter.numel() for parameter in network.parameters())


def test_parameters_of_an_attentive_lstm() -> None:
    description = model(
        encoder={"layers": 2, "hidden_size": 6, "embedding_size": 5},
        decoder={"hidden_size": 8, "embedding_size": 7},
        attention={"type": "general", "context": "output"},
    )
    encoder = 50 * 5 + 2 * recurrent("lstm", 5, 6) + 2 * recurrent("lstm", 12, 6)
    bridge = (12 + 1) * 2 * 8  # of the final h, to h and c
    decoder = 70 * 7 + recurrent("lstm", 7, 8)
    attention = 8 * 12
    readout = (8 + 12) * 8
    output = (8 + 1) * 70
    assert count(description) == encoder + bridge + decoder + attention + readout + output


def test_parameters_of_an_input_fed_gru_with_tied_output() -> None:
    description = model(
        encoder={"cell": "gru", "hidden_size": 6, "embedding_size": 5, "bidirectional": False},
        decoder={"cell": "gru", "layers": 2, "hidden_size": 8, "embedding_size": 7},
        attention={"type": "additive", "context": "input-feeding", "size": 9},
        bridge="mean-pooled",
        tying="decoder",
    )
    encoder = 50 * 5 + recurrent("gru", 5, 6)
    bridge = (6 + 1) * 2 * 8  # to h of two layers
    decoder = 70 * 7 + recurrent("gru", 7 + 7, 8) + recurrent("gru", 8, 8)  # the readout fed back is 7 wide
    attention = 8 * 9 + (6 + 1) * 9 + 9
    readout = (8 + 6) * 7
    output = 70  # its matrix is the embedding
    assert count(description) == encoder + bridge + decoder + attention + readout + output


def test_parameters_with_upper_layers_and_everything_tied() -> None:
    description = model(
        encoder={"hidden_size": 4, "embedding_size": 7},
        decoder={"layers": 3, "hidden_size": 8, "embedding_size": 7},
        attention={"type": "multihead", "context": "upper-layers", "heads": 2},
        bridge="zero",
        tying="all",
    )
    encoder = 2 * recurrent("lstm", 7, 4)
    decoder = 70 * 7 + recurrent("lstm", 7, 8) + 2 * recurrent("lstm", 8 + 8, 8)
    attention = 3 * (8 + 1) * 8 + (8 + 1) * 8  # as wide as the decoder by default
    readout = 8 * 7
    output = 70
    assert count(description, source=70) == encoder + decoder + attention + readout + output


def test_parameters_without_attention() -> None:
    description = model(
        encoder={"hidden_size": 8, "embedding_size": 5, "bidirectional": False, "layers": 2},
        decoder={"layers": 2, "hidden_size": 8, "embedding_size": 7},
        attention={"type": "none", "context": "none"},
        bridge="final-state",
    )
    encoder = 50 * 5 + recurrent("lstm", 5, 8) + recurrent("lstm", 8, 8)
    decoder = 70 * 7 + recurrent("lstm", 7, 8) + recurrent("lstm", 8, 8)
    assert count(description) == encoder + decoder + (8 + 1) * 70


SMALL: dict[str, Any] = {
    "encoder": {"hidden_size": 4, "embedding_size": 5, "bidirectional": False},
    "decoder": {"hidden_size": 4, "embedding_size": 5},
}


def small(**changes: Any) -> Any:
    return build_model(model(**SMALL | changes), source_vocabulary=20, target_vocabulary=30)


def test_every_attention_has_its_class() -> None:
    classes = {
        "none": type(None), "additive": AdditiveAttention, "dot": DotAttention, "general": GeneralAttention,
        "multihead": MultiheadAttention,
    }  # fmt: skip
    assert set(classes) == set(get_args(AttentionName))
    for name, kind in classes.items():
        network = small(attention={"type": name, "context": "none" if name == "none" else "output"})
        assert type(network.decoder.attention) is kind


def test_every_bridge_has_its_class() -> None:
    classes = {"zero": (ZeroBridge, None), "final-state": (FinalStateBridge, None)}
    classes |= {"learned": (TanhBridge, "final"), "mean-pooled": (TanhBridge, "mean")}
    assert set(classes) == set(get_args(BridgeName))
    for name, (kind, summary) in classes.items():
        bridge = small(bridge=name).bridge
        assert type(bridge) is kind
        assert getattr(bridge, "summary", None) == summary


@pytest.mark.parametrize("cell", get_args(CellName))
def test_cells_of_encoder_and_decoder(cell: str) -> None:
    other = {"lstm": "gru", "gru": "lstm"}[cell]
    network = small(encoder=SMALL["encoder"] | {"cell": cell}, decoder=SMALL["decoder"] | {"cell": other})
    assert network.encoder.stack.layers[0].ahead.cell == cell
    assert network.decoder.layers[0].cell == other


def test_only_a_bridge_that_needs_the_memory_cell_pays_for_it() -> None:
    for bridge in get_args(BridgeName):
        assert small(bridge=bridge).encoder.stack.layers[0].final_cell == (bridge == "final-state")


def test_every_dropout_of_the_recipe_arrives() -> None:
    network = small(
        encoder=SMALL["encoder"] | {"dropout": 0.1, "embedding_dropout": 0.2},
        decoder=SMALL["decoder"] | {"dropout": 0.3, "embedding_dropout": 0.4, "output_dropout": 0.5},
        attention={"type": "general", "dropout": 0.6},
    )
    assert network.encoder.stack.dropout == 0.1
    assert network.encoder.embedding_dropout == 0.2
    assert network.decoder.dropout == 0.3
    assert network.decoder.embedding_dropout == 0.4
    assert network.output_dropout == 0.5
    assert network.decoder.attention.dropout == 0.6


def test_first_weights_of_embeddings_and_output() -> None:
    torch.manual_seed(2)
    description = model(
        encoder={"embedding_size": 64, "hidden_size": 4}, decoder={"embedding_size": 16, "hidden_size": 8}
    )
    network = build_model(description, source_vocabulary=500, target_vocabulary=800)
    # 32,000 and 12,800 normal numbers: their deviation is known to a hundredth.
    assert network.encoder.embedding.weight.std().item() == pytest.approx(64**-0.5, rel=0.03)
    assert network.decoder.embedding.weight.std().item() == pytest.approx(16**-0.5, rel=0.03)
    assert torch.count_nonzero(network.output.bias) == 0
    assert network.encoder.embedding.num_embeddings == 500
    assert network.output.out_features == 800


def test_the_seed_makes_the_weights() -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return torch.cat([parameter.detach().flatten() for parameter in small().parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def recipe(folder: Path, **tokenizer: Any) -> Recipe:
    (folder / "train.en").write_text("\n".join(ENGLISH) + "\n", "utf-8")
    (folder / "train.fr").write_text("\n".join(FRENCH) + "\n", "utf-8")
    source = {"prefix": str(folder / "train")}
    return Recipe.model_validate(
        {
            "corpus": {"source_language": "en", "target_language": "fr", "train": [source], "validation": [source]},
            "tokenizer": tokenizer,
            "run": {"name": "test"},
        }
    )


def test_a_joint_tokenizer_is_trained_from_both_languages(tmp_path: Path) -> None:
    source, target = build_tokenizers(recipe(tmp_path, vocabulary_size=60, algorithm="bpe"))
    assert source is target
    assert source.vocabulary_size == 60
    both = [line for pair in zip(ENGLISH, FRENCH, strict=True) for line in pair]
    assert source.unk_id not in [number for ids in source.encode(both) for number in ids]


def test_separate_tokenizers_see_their_own_language(tmp_path: Path) -> None:
    source, target = build_tokenizers(recipe(tmp_path, vocabulary_size=45, algorithm="bpe", joint=False))
    assert source.fingerprint != target.fingerprint
    assert target.unk_id not in target.encode_one(FRENCH[3])
    assert source.unk_id in source.encode_one("è")  # there is none in the English text
    assert source.unk_id not in source.encode_one(ENGLISH[0])


def test_given_tokenizers_are_loaded(tmp_path: Path) -> None:
    for name, text in (("en", ENGLISH), ("fr", FRENCH)):
        Tokenizer.train(text, algorithm="char", vocabulary_size=60).save(tmp_path / f"{name}.model")
    given = {"source_model": str(tmp_path / "en.model")}
    source, target = build_tokenizers(recipe(tmp_path, **given))
    assert source is target
    assert source.to_bytes() == (tmp_path / "en.model").read_bytes()
    both = build_tokenizers(recipe(tmp_path, joint=False, target_model=str(tmp_path / "fr.model"), **given))
    assert [one.to_bytes() for one in both] == [(tmp_path / f"{name}.model").read_bytes() for name in ("en", "fr")]


def test_the_text_of_a_recipe_keeps_every_key(tmp_path: Path) -> None:
    corpus = recipe(tmp_path).corpus
    text = parallel_text(corpus.train[0], corpus)
    assert (text.source_language, text.target_language) == ("en", "fr")
    for key in TextSource.model_fields:
        assert getattr(text, key) == getattr(corpus.train[0], key)
