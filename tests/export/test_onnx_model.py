"""Exported networks compute what the network computes, whatever it is assembled from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq.build import build_model
from seq2seq.errors import ModelError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_directory import load_model
from seq2seq.recipe import Model, load_recipe
from tests.system.shrinking import RECIPES, shrunk

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx

from seq2seq.export.checking import check, largest_difference
from seq2seq.export.graph import serialized
from seq2seq.export.network import Exported, export_network
from seq2seq.export.onnx_model import write_onnx


def network(model: Model) -> EncoderDecoder:
    """A network with weights large enough that everything in it matters."""
    torch.manual_seed(1)
    built = build_model(model, source_vocabulary=40, target_vocabulary=40).eval()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.mul_(1.5)
    return built


def graphs(model: EncoderDecoder) -> tuple[Exported, bytes, bytes]:
    exported = export_network(model)
    return exported, serialized(exported.encoder), serialized(exported.step)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_exported(name: str) -> None:
    """Its network, made small: sentences of other lengths and numbers than those that the graphs were recorded with."""
    recipe = load_recipe(RECIPES[name], shrunk(RECIPES[name]))
    model = network(recipe.model)
    assert largest_difference(*graphs(model), model) < 1e-4


SMALL: dict[str, Any] = {
    "encoder": {"hidden_size": 4, "embedding_size": 5, "directions": "forward"},
    "decoder": {"hidden_size": 4, "embedding_size": 5},
}


@pytest.mark.parametrize("cell", ["lstm", "gru", "elman-tanh", "gru-layer-norm"])
def test_final_states_with_padding(cell: str) -> None:
    """Of h and c where each sentence ends, several layers of them, as the decoder's first states."""
    section = {"cell": cell, "layers": 2, "hidden_size": 4, "embedding_size": 5, "directions": "forward"}
    changes = {"encoder": section, "decoder": {k: v for k, v in section.items() if k != "directions"}}
    model = network(Model.model_validate(changes | {"bridge": "final-state"}))
    exported, encoder, step = graphs(model)
    assert largest_difference(exported, encoder, step, model) < 1e-5
    assert ("state_1_c" in exported.states) == (cell == "lstm")


def test_what_passes_between_the_graphs() -> None:
    exported, _, _ = graphs(network(Model.model_validate(SMALL | {"attention": {"type": "additive"}})))

    def axes(value: Any) -> list[str | int]:
        return [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]

    assert {value.name: axes(value) for value in exported.encoder.graph.input} == {
        "source": ["sentences", "source_length"],
        "source_lengths": ["sentences"],
    }
    inputs = {value.name: axes(value) for value in exported.step.graph.input}
    assert inputs["tokens"] == ["rows"]
    assert inputs["memory_values"] == ["sentences", "source_length", 4]
    assert inputs["state_0_h"] == ["rows", 4]
    assert set(inputs) == {"tokens", *exported.memory, *exported.states}
    outputs = {value.name: axes(value) for value in exported.step.graph.output}
    assert outputs["log_probs"] == ["rows", 40]
    assert outputs["attention"] == ["rows", "source_length"]
    assert set(outputs) == {"log_probs", "attention", *(f"next_{name}" for name in exported.states)}
    names = {constant.name for constant in exported.step.graph.initializer}
    assert {"decoder.embedding.weight", "decoder.layers.0.w_ih"} <= names
    read = {name for node in exported.step.graph.node for name in node.input} | set(outputs)
    assert all(read & set(node.output) for node in exported.step.graph.node)  # nothing that nobody asked for
    assert names <= read


def test_the_check_sees_a_wrong_number() -> None:
    model = network(Model.model_validate(SMALL))
    exported, encoder, step = graphs(model)
    assert check(exported, encoder, step, model) < 1e-5
    with torch.no_grad():
        model.output.bias[3] += 0.01
    with pytest.raises(ModelError, match=r"^the exported graphs differ from the network by 0\.0\d+, so nothing was"):
        check(exported, encoder, step, model)
    with torch.no_grad():
        model.output.bias[3] = torch.nan
    with pytest.raises(ModelError, match="differ from the network by inf"):
        check(exported, encoder, step, model)


def test_what_onnx_has_no_operator_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(Model.model_validate(SMALL))
    own = model.decoder.readout.forward

    def twisted(*arguments: Tensor | None) -> Tensor:
        return torch.special.bessel_j0(own(*arguments))

    monkeypatch.setattr(model.decoder.readout, "forward", twisted)
    with pytest.raises(
        ModelError, match=r"^the network calls special_bessel_j0 of torch, for which .* cannot be exported"
    ):
        export_network(model)


def test_the_network_is_left_as_it_was() -> None:
    model = network(Model.model_validate(SMALL))
    before = {name: type(module) for name, module in model.named_modules()}
    export_network(model)
    assert {name: type(module) for name, module in model.named_modules()} == before


def test_the_folder(small_model: Path, characters: Path, tmp_path: Path) -> None:
    assert write_onnx(small_model, tmp_path / "one") < 1e-4
    write_onnx(small_model, tmp_path / "two")
    names = {"encoder.onnx", "decoder_step.onnx", "source.spm", "translator.json"}
    assert {path.name for path in (tmp_path / "one").iterdir()} == names
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)
    content = json.loads((tmp_path / "one" / "translator.json").read_text("utf-8"))
    assert (content["version"], content["opset"], content["joint_tokenizer"]) == (1, 17, True)
    assert content["languages"] == {"source": "en", "target": "fr"}
    assert content["special_ids"]["target"] == {"pad": 0, "unknown": 1, "begin": 2, "end": 3}
    search = load_model(small_model, device=torch.device("cpu")).recipe.search
    assert content["search"].items() <= search.model_dump().items()
    assert content["search"]["max_input_pieces"] == 40
    graph = onnx.load(tmp_path / "one" / "decoder_step.onnx")
    assert [each.version for each in graph.opset_import] == [17]
    assert not list(tmp_path.glob(".*"))


def test_nothing_is_written_of_a_broken_model(small_model: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(small_model, tmp_path / "broken"))
    (broken / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match="there are no weights yet"):
        write_onnx(broken, tmp_path / "onnx")
    assert {path.name for path in tmp_path.iterdir()} == {"broken"}
