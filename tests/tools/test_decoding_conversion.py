from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn

from seq2seq.errors import ModelError
from seq2seq.translator import Translator
from tests.conftest import RECIPE, save_small_model
from tools.benchmark_decoding.conversion import Network, joey_checkpoint, read_network, write_joey, write_opennmt

#: The network of recipes/benchmark-small.yaml with model.bridge=final-state, in other sizes.
NETWORK = """
corpus:
  source_language: en
  target_language: fr
  train: [{prefix: train}]
  validation: [{prefix: valid}]
model:
  encoder: {cell: lstm, layers: 1, hidden_size: 8, embedding_size: 6, directions: bidirectional}
  attention: {type: general, context: output}
  decoder: {cell: lstm, layers: 1, hidden_size: 16, embedding_size: 6, readout: tanh}
  bridge: final-state
  tying: none
search: {max_input_pieces: 40, batch_size: 8, max_length_ratio: 1.0, max_length_offset: 8}
run: {name: small}
"""

_LSTM = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
_ENCODER = [f"encoder.rnn.{name}{suffix}" for suffix in ("", "_reverse") for name in _LSTM]
_DECODER = [f"decoder.rnn.{name}" for name in _LSTM]


@pytest.fixture(scope="module", params=["none", "embeddings"])
def run(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    text = NETWORK.replace("tying: none", f"tying: {request.param}")
    return save_small_model(tmp_path_factory.mktemp("models") / "network", recipe_text=text)


@pytest.fixture(scope="module")
def network(run: Path) -> Network:
    return read_network(run)


def _lstm(state: Mapping[str, Tensor], prefix: str, **arguments: Any) -> nn.LSTM:
    weights = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    layer = nn.LSTM(weights["weight_ih_l0"].shape[1], weights["weight_hh_l0"].shape[1], batch_first=True, **arguments)
    layer.load_state_dict(weights)
    return layer


def _log_prob(
    state: Mapping[str, Tensor],
    embeddings: tuple[Tensor, Tensor],
    logits: Callable[[Tensor, Tensor], Tensor],
    source: list[int],
    target: list[int],
) -> float:
    """log p(target[1:]) of an attentive LSTM, step by step; `logits` are of a query and the values [src, hidden]."""
    values, (h, c) = _lstm(state, "encoder.rnn.", bidirectional=True)(embeddings[0][source].unsqueeze(0))
    hidden = tuple(torch.cat((each[0], each[1]), dim=-1).unsqueeze(0) for each in (h, c))
    decoder, total = _lstm(state, "decoder.rnn."), 0.0
    for last, following in pairwise(target):
        output, hidden = decoder(embeddings[1][last].view(1, 1, -1), hidden)
        total += float(logits(output[0, 0], values[0]).log_softmax(dim=-1)[following])
    return total


def _read(path: Path) -> Any:
    return torch.load(path, weights_only=False)


PAIRS = [("The small cat sleeps.", "Le petit chat dort."), ("Where is it?", "Où est la gare ?")]


@torch.no_grad()
def test_opennmt_has_the_same_network(run: Path, network: Network, tmp_path: Path) -> None:
    checkpoint = _read(write_opennmt(network, tmp_path / "opennmt") / "model.pt")
    state, generator, pieces = checkpoint["model"], checkpoint["generator"], checkpoint["vocab"]["src"]
    table = "embeddings.make_embedding.emb_luts.0.weight"
    assert list(state) == [
        f"encoder.{table}",
        *_ENCODER,
        f"decoder.{table}",
        *_DECODER,
        "decoder.attn.linear_in.weight",
        "decoder.attn.linear_out.weight",
    ]
    options = vars(checkpoint["opt"])
    assert (options["encoder_type"], options["rnn_type"], options["input_feed"]) == ("brnn", "LSTM", 0)
    assert (options["enc_hid_size"], options["dec_hid_size"], options["src_word_vec_size"]) == (16, 16, 6)
    assert pieces[:4] == ["<blank>", "<unk>", "<s>", "</s>"]
    assert checkpoint["vocab"]["decoder_start_token"] == "<s>"

    def logits(query: Tensor, values: Tensor) -> Tensor:
        # onmt.modules.GlobalAttention: h_s . (W_in h_t), then tanh(W_out [c; h_t])
        weights = (values @ (state["decoder.attn.linear_in.weight"] @ query)).softmax(dim=0)
        readout = torch.tanh(state["decoder.attn.linear_out.weight"] @ torch.cat((weights @ values, query)))
        return generator["weight"] @ readout + generator["bias"]

    translator = Translator.load(run, device="cpu")
    for source, target in PAIRS:
        ids = [[pieces.index(piece) for piece in _pieces(network, text)] for text in (source, target)]
        embeddings = (state[f"encoder.{table}"], state[f"decoder.{table}"])
        found = _log_prob(state, embeddings, logits, [*ids[0], 3], [2, *ids[1], 3])
        assert found == pytest.approx(translator.score(source, target).log_prob, abs=1e-4)


@torch.no_grad()
def test_joey_has_the_same_network(run: Path, network: Network, tmp_path: Path) -> None:
    directory = write_joey(network, tmp_path / "joey")
    checkpoint = torch.load(directory / "best.ckpt", weights_only=True)
    state, pieces = checkpoint["model_state"], (directory / "vocabulary.txt").read_text("utf-8").split("\n")[:-1]
    assert list(state) == [
        "src_embed.lut.weight",
        "trg_embed.lut.weight",
        *_ENCODER,
        *_DECODER,
        "decoder.attention.key_layer.weight",
        "decoder.att_vector_layer.weight",
        "decoder.att_vector_layer.bias",
        "decoder.output_layer.weight",
    ]
    assert pieces[:4] == ["<unk>", "<pad>", "<s>", "</s>"]
    assert sorted(pieces[4:]) == sorted(network.pieces[4:])
    configuration = yaml.safe_load((directory / "config.yaml").read_text("utf-8"))
    assert configuration["model"]["encoder"]["hidden_size"] == 8
    assert configuration["model"]["decoder"]["hidden_size"] == 16
    assert configuration["model"]["decoder"]["input_feeding"] is False

    def logits(query: Tensor, values: Tensor) -> Tensor:
        # joeynmt.attention.LuongAttention: h . (K v), then tanh(W [h; c] + b)
        weights = ((values @ state["decoder.attention.key_layer.weight"].T) @ query).softmax(dim=0)
        joined = torch.cat((query, weights @ values))
        bias = state["decoder.att_vector_layer.bias"]
        readout = torch.tanh(state["decoder.att_vector_layer.weight"] @ joined + bias)
        return state["decoder.output_layer.weight"] @ readout + checkpoint["output_bias"]

    translator = Translator.load(run, device="cpu")
    for source, target in PAIRS:
        ids = [[pieces.index(piece) for piece in _pieces(network, text)] for text in (source, target)]
        embeddings = (state["src_embed.lut.weight"], state["trg_embed.lut.weight"])
        found = _log_prob(state, embeddings, logits, [*ids[0], 3], [2, *ids[1], 3])
        assert found == pytest.approx(translator.score(source, target).log_prob, abs=1e-4)


def test_joey_has_its_own_order_of_pieces(network: Network) -> None:
    count = len(network.pieces)
    names = ("encoder.embedding.weight", "decoder.embedding.weight", "output.weight", "output.bias")
    numbered = {name: torch.arange(float(count)) for name in names}
    checkpoint = joey_checkpoint(replace(network, weights={**network.weights, **numbered}))
    state = checkpoint["model_state"]
    for name in ("src_embed.lut.weight", "trg_embed.lut.weight", "decoder.output_layer.weight"):
        assert state[name].tolist() == [1, 0, *range(2, count)]
    assert checkpoint["output_bias"].tolist() == [1, 0, *range(2, count)]


def _pieces(network: Network, text: str) -> list[str]:
    return network.tokenizer.pieces(network.tokenizer.encode_one(text))


@pytest.mark.parametrize(
    ("ours", "other", "key"),
    [
        ("bridge: final-state", "bridge: learned", r"model\.bridge: learned"),
        ("context: output", "context: input-feeding", r"model\.attention\.context: input-feeding"),
        ("readout: tanh", "readout: deep", r"model\.decoder\.readout: deep"),
    ],
)
def test_another_network(tmp_path: Path, ours: str, other: str, key: str) -> None:
    directory = save_small_model(tmp_path / "run", recipe_text=NETWORK.replace(ours, other))
    with pytest.raises(ModelError, match=f"{key}, and OpenNMT-py and JoeyNMT can only be given"):
        read_network(directory)


def test_two_tokenizers(characters: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "run"
    recipe.mkdir()
    for path in characters.iterdir():
        (recipe / path.name).write_bytes(path.read_bytes())
    text = (recipe / "recipe.yaml").read_text("utf-8")
    network = yaml.safe_load(NETWORK)["model"]
    (recipe / "recipe.yaml").write_text(yaml.safe_dump({**yaml.safe_load(text), "model": network}), "utf-8")
    with pytest.raises(ModelError, match="tokenizer for each language"):
        read_network(recipe)


def test_the_defaults_are_not_small() -> None:
    assert "bridge" not in RECIPE  # so that tests of other commands use another network than this
