"""The network of recipes/benchmark-small.yaml with `model.bridge=final-state` as OpenNMT-py and JoeyNMT store it.

Both have this very network, so they decode with the same weights over the same pieces. What differs is where they keep
it:

| here | OpenNMT-py 3.5 | JoeyNMT 2.3 |
| --- | --- | --- |
| attention: h . K v | (W h) . v, so W is K transposed | K |
| readout: tanh(W [h; context]) | the two halves of W's columns changed over | W, and a bias, which is zero |
| output layer with a bias | the same | without a bias: the worker adds it |
| the decoder's first c is the encoder's last | the same | it is the encoder's last h: the worker hands c over |
| pad, unk, BOS and EOS have the ids 0 to 3 | any ids | unk comes first, then pad: rows change places |
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from seq2seq.errors import ModelError
from seq2seq.model_directory import load_description, read_weights
from seq2seq.model_files import WEIGHTS
from seq2seq.recipe import load_recipe
from seq2seq.storage import write_atomically
from seq2seq.text.tokenizer import Tokenizer

SMALL = Path(__file__).resolve().parents[2] / "recipes" / "benchmark-small.yaml"
#: Keys of `model` in which a run may differ from that recipe: sizes, and what only training knows.
_FREE = {"hidden_size", "embedding_size", "dropout", "embedding_dropout", "output_dropout"}

_DIRECTIONS = {"ahead": "", "back": "_reverse"}
_LSTM = {"w_ih": "weight_ih_l0", "w_hh": "weight_hh_l0", "b_ih": "bias_ih_l0", "b_hh": "bias_hh_l0"}


@dataclass(frozen=True)
class Network:
    """A trained network: its weights by their names here, the sizes, and the tokenizer of both languages."""

    weights: dict[str, Tensor]
    tokenizer: Tokenizer
    pieces: list[str]

    @property
    def embedding_size(self) -> int:
        """Width of both embeddings."""
        return self.weights["encoder.embedding.weight"].shape[1]

    @property
    def hidden_size(self) -> int:
        """Width of the decoder, which is twice that of each direction of the encoder."""
        return self.weights["decoder.layers.0.w_hh"].shape[1]


def read_network(directory: str | Path) -> Network:
    """Read a run. Its two embeddings may be one, which is written twice.

    Raises:
        ModelError: it is not the network that the other toolkits have.
    """
    path = Path(directory)
    recipe, source, target = load_description(path)
    small = load_recipe(SMALL, ["model.bridge=final-state"]).model.model_dump()
    for key, value in _leaves(recipe.model.model_dump()).items():
        expected = _leaves(small).get(key)
        if key.startswith("initialization.") or (key, value) == ("tying", "embeddings"):
            continue
        if key.rpartition(".")[2] not in _FREE and value != expected:
            raise ModelError(
                f"{path} has model.{key}: {value}, and OpenNMT-py and JoeyNMT can only be given the network of "
                f"recipes/{SMALL.name} with model.bridge=final-state, which has {expected}; train that one"
            )
    if source.fingerprint != target.fingerprint:
        raise ModelError(f"{path} has a tokenizer for each language; train it with tokenizer.joint=true")
    weights, _ = read_weights(path / WEIGHTS)
    if recipe.model.tying == "embeddings":
        weights["decoder.embedding.weight"] = weights["encoder.embedding.weight"]
    return Network(weights, source, source.pieces(range(source.vocabulary_size)))


def _leaves(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values by their dotted keys."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _leaves(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def _encoder(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's recurrent weights, named as torch's bidirectional LSTM names them."""
    return {
        f"encoder.rnn.{theirs}{suffix}": weights[f"encoder.stack.layers.0.{direction}.{ours}"]
        for direction, suffix in _DIRECTIONS.items()
        for ours, theirs in _LSTM.items()
    }


def _decoder(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"decoder.rnn.{theirs}": weights[f"decoder.layers.0.{ours}"] for ours, theirs in _LSTM.items()}


def opennmt_checkpoint(network: Network) -> dict[str, Any]:
    """What OpenNMT-py 3.5 reads as a model's .pt file."""
    weights, tokenizer, hidden = network.weights, network.tokenizer, network.hidden_size
    pieces = list(network.pieces)
    for number, name in (
        (tokenizer.pad_id, "<blank>"),
        (tokenizer.unk_id, "<unk>"),
        (tokenizer.bos_id, "<s>"),
        (tokenizer.eos_id, "</s>"),
    ):
        pieces[number] = name
    readout = weights["decoder.readout.weight"]
    embeddings = "embeddings.make_embedding.emb_luts.0.weight"
    options = {
        "model_task": "seq2seq",
        "model_type": "text",
        "encoder_type": "brnn",
        "decoder_type": "rnn",
        "rnn_type": "LSTM",
        "input_feed": 0,
        "bridge": False,
        "enc_layers": 1,
        "dec_layers": 1,
        "enc_hid_size": hidden,
        "dec_hid_size": hidden,
        "src_word_vec_size": network.embedding_size,
        "tgt_word_vec_size": network.embedding_size,
        "global_attention": "general",
        "global_attention_function": "softmax",
        "copy_attn": False,
        "share_embeddings": False,
        "share_decoder_embeddings": False,
        "dropout": [0.0],
        "attention_dropout": [0.0],
        "optim": "adam",
        "update_vocab": False,
        "freeze_word_vecs_enc": False,
        "freeze_word_vecs_dec": False,
    }
    return {
        "model": {
            f"encoder.{embeddings}": weights["encoder.embedding.weight"],
            **_encoder(weights),
            f"decoder.{embeddings}": weights["decoder.embedding.weight"],
            **_decoder(weights),
            "decoder.attn.linear_in.weight": weights["decoder.attention.key.weight"].T.contiguous(),
            "decoder.attn.linear_out.weight": torch.cat((readout[:, hidden:], readout[:, :hidden]), dim=1),
        },
        "generator": {"weight": weights["output.weight"], "bias": weights["output.bias"]},
        "vocab": {"src": pieces, "tgt": pieces, "data_task": "seq2seq", "decoder_start_token": "<s>"},
        "opt": argparse.Namespace(**options),
        "optim": {},
    }


def joey_order(tokenizer: Tokenizer) -> list[int]:
    """The ids here in the order of JoeyNMT's vocabulary, which begins with unk, pad, BOS and EOS."""
    first = [tokenizer.unk_id, tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id]
    return first + [number for number in range(tokenizer.vocabulary_size) if number not in first]


def joey_checkpoint(network: Network) -> dict[str, Any]:
    """What JoeyNMT 2.3 reads as a checkpoint, and beside it `output_bias`, for which it has no place."""
    weights = network.weights
    order = torch.tensor(joey_order(network.tokenizer))
    readout = weights["decoder.readout.weight"]
    return {
        "model_state": {
            "src_embed.lut.weight": weights["encoder.embedding.weight"][order],
            "trg_embed.lut.weight": weights["decoder.embedding.weight"][order],
            **_encoder(weights),
            **_decoder(weights),
            "decoder.attention.key_layer.weight": weights["decoder.attention.key.weight"],
            "decoder.att_vector_layer.weight": readout,
            "decoder.att_vector_layer.bias": torch.zeros(readout.shape[0]),
            "decoder.output_layer.weight": weights["output.weight"][order],
        },
        "output_bias": weights["output.bias"][order],
    }


def joey_vocabulary(network: Network) -> list[str]:
    """JoeyNMT's vocabulary file, line by line."""
    ordered = [network.pieces[number] for number in joey_order(network.tokenizer)]
    return ["<unk>", "<pad>", "<s>", "</s>", *ordered[4:]]


def joey_configuration(network: Network, directory: Path) -> dict[str, Any]:
    """JoeyNMT's config.yaml; source and target are pieces with spaces between."""
    side = {"level": "word", "lowercase": False, "voc_file": str(directory / "vocabulary.txt")}
    half = network.hidden_size // 2
    embeddings = {"embedding_dim": network.embedding_size, "scale": False, "dropout": 0.0}
    return {
        "name": "converted",
        "joeynmt_version": "2.3.0",
        "model_dir": str(directory),
        "use_cuda": False,
        "fp16": False,
        "data": {
            "train": None,
            "dev": None,
            "test": "unused",
            "dataset_type": "plain",
            "src": {"lang": "source", **side},
            "trg": {"lang": "target", **side},
        },
        "testing": {"load_model": str(directory / "best.ckpt"), "batch_type": "sentence", "eval_metrics": []},
        "training": {"batch_size": 1},
        "model": {
            "tied_embeddings": False,
            "tied_softmax": False,
            "encoder": {
                "type": "recurrent",
                "rnn_type": "lstm",
                "bidirectional": True,
                "hidden_size": half,
                "num_layers": 1,
                "dropout": 0.0,
                "embeddings": embeddings,
            },
            "decoder": {
                "type": "recurrent",
                "rnn_type": "lstm",
                "hidden_size": network.hidden_size,
                "num_layers": 1,
                "dropout": 0.0,
                "hidden_dropout": 0.0,
                "attention": "luong",
                "input_feeding": False,
                "init_hidden": "last",
                "embeddings": embeddings,
            },
        },
    }


def write_opennmt(network: Network, directory: Path) -> Path:
    """Write `model.pt` into a folder of its own; returns the folder."""
    directory.mkdir(parents=True, exist_ok=True)
    torch.save(opennmt_checkpoint(network), directory / "model.pt")
    return _with_tokenizer(network, directory)


def write_joey(network: Network, directory: Path) -> Path:
    """Write a JoeyNMT model directory; returns it."""
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    torch.save(joey_checkpoint(network), directory / "best.ckpt")
    write_atomically(directory / "vocabulary.txt", ("\n".join(joey_vocabulary(network)) + "\n").encode())
    configuration = yaml.safe_dump(joey_configuration(network, directory), sort_keys=False)
    write_atomically(directory / "config.yaml", configuration.encode())
    return _with_tokenizer(network, directory)


def _with_tokenizer(network: Network, directory: Path) -> Path:
    write_atomically(directory / "pieces.spm", network.tokenizer.to_bytes())
    return directory
