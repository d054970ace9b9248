"""The exported model translates as the model directory does; and every way in which it can be broken."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seq2seq.errors import ModelError, UsageError
from seq2seq.translator import Translator
from tests.conftest import SENTENCES

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from seq2seq.export.onnx_model import write_onnx
from seq2seq.runtime import OnnxTranslator

LINES = [
    *SENTENCES,
    "",
    "  \t ",
    "the dog\u2028sees",
    "a",
    " ".join(SENTENCES),  # longer than the 40 pieces that the model reads at once
    "unbrokenwordofmanyletters" * 9,
    "\udcff lone \U0001f600 ￾",
]


@pytest.fixture(scope="module")
def exported(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("exported") / "small-onnx"
    write_onnx(small_model, directory)
    return directory


@pytest.fixture(scope="module")
def onnx(exported: Path) -> OnnxTranslator:
    return OnnxTranslator.load(exported, threads=1)


def texts(translator: Translator, lines: list[str], **options: Any) -> list[str]:
    return [translation.text for translation in translator.translate(lines, alignment=False, **options)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beam": 1},
        {"beam": 3, "length_penalty": 0.0},
        {"length_penalty": 2.0, "max_length": 5},
        {"normalization": "gnmt", "word_penalty": -0.5},
        {"coverage_penalty": 0.7, "stopping": "heuristic"},
        {"no_repeat_ngram": 1, "min_length": 6},
        {"long_input": "truncate"},
        {"split_sentences": True, "max_input_pieces": 9, "batch_size": 2},
    ],
    ids=str,
)
def test_it_gives_the_text_of_the_translator(
    options: dict[str, Any], onnx: OnnxTranslator, translator: Translator
) -> None:
    expected = texts(translator, LINES, **options)
    assert onnx.translate(LINES, **options) == expected
    assert len(set(expected)) > 8


@pytest.mark.parametrize("name", ["blind", "other_seed", "characters"])
def test_other_networks_and_tokenizers(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Without attention, of GRUs, and with a tokenizer for each language."""
    directory = request.getfixturevalue(name)
    write_onnx(directory, tmp_path / "onnx")
    assert (tmp_path / "onnx" / "target.spm").exists() == (name == "characters")
    exported = OnnxTranslator.load(tmp_path / "onnx", threads=1)
    assert exported.translate(LINES) == texts(Translator.load(directory, device="cpu"), LINES)


def test_a_line_alone_and_in_company(onnx: OnnxTranslator) -> None:
    together = onnx.translate(LINES)
    assert [onnx.translate(line) for line in LINES] == together
    assert onnx.translate(tuple(LINES[:3]), batch_size=1) == together[:3]
    assert onnx.translate([]) == []
    assert onnx.translate(["", " "]) == ["", ""]


def test_it_needs_neither_torch_nor_what_recipes_need(exported: Path, onnx: OnnxTranslator) -> None:
    script = f"""
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {{"torch", "yaml", "pydantic", "safetensors", "datasets", "rich", "onnx"}}:
            raise ImportError(name + " is not there")

sys.meta_path.insert(0, Refuse())
from seq2seq.cli.translate_onnx import main
sys.exit(main(["--model", {str(exported)!r}, "--threads", "1"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], input="\n".join(SENTENCES) + "\n", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == onnx.translate(SENTENCES)


def test_values_that_cannot_be_used(onnx: OnnxTranslator, exported: Path, blind: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^beam must be a whole number of 1 or more, not 0$"):
        onnx.translate("a", beam=0)
    with pytest.raises(UsageError, match=r"^length_penalty must be a number of 0 or more, not -1$"):
        onnx.translate("a", length_penalty=-1)
    with pytest.raises(TypeError):
        onnx.translate("a", bream=5)
    with pytest.raises(UsageError, match="line 2 is of type bytes, but a line must be text"):
        onnx.translate(["a", b"b"])  # type: ignore[list-item]
    with pytest.raises(UsageError, match=r"^line 3 has \d+ pieces to be read at once, but the model reads at most 40"):
        list(onnx.translate_chunks([["a", "b"], [LINES[-3]]], long_input="error"))
    with pytest.raises(UsageError, match="threads must be"):
        OnnxTranslator.load(exported, threads=0)
    with pytest.raises(UsageError, match=r"^onnxruntime has no NoProvider here; choose among .*CPUExecutionProvider"):
        OnnxTranslator.load(exported, providers=["NoProvider"])
    write_onnx(blind, tmp_path / "blind")
    with pytest.raises(UsageError, match="no attention, so there is no coverage"):
        OnnxTranslator.load(tmp_path / "blind").translate("a", coverage_penalty=0.1)


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def failure(directory: Path) -> str:
    with pytest.raises(ModelError) as caught:
        OnnxTranslator.load(directory)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(directory), "MODEL")


@pytest.mark.parametrize("name", ["encoder.onnx", "decoder_step.onnx", "source.spm"])
def test_a_file_that_is_missing_or_damaged(name: str, copy: Path) -> None:
    data = (copy / name).read_bytes()
    for changed in (data[:-1], b"", data[:99] + bytes([data[99] ^ 1]) + data[100:]):
        (copy / name).write_bytes(changed)
        assert failure(copy) == (
            f"MODEL/{name}: the file is damaged, or is that of another model; copy the exported model again"
        )
    (copy / name).unlink()
    assert failure(copy) == f"MODEL: the exported model is incomplete, {name} is missing; copy it again"


def test_no_exported_model(copy: Path, small_model: Path, tmp_path: Path) -> None:
    assert failure(tmp_path / "nowhere").startswith("MODEL: does not exist; name a folder that seq2seq-export")
    assert failure(small_model) == (
        "MODEL: is no exported model, translator.json is missing; name a folder that seq2seq-export --format onnx wrote"
    )


@pytest.mark.parametrize("content", ["{", "[]", "{}", "null", '{"version": 1, "search": {"beam": 0}}', "\x00"])
def test_a_damaged_description(content: str, copy: Path) -> None:
    (copy / "translator.json").write_text(content)
    assert failure(copy).startswith("MODEL/translator.json: the file is damaged (")


def test_a_newer_version_and_graphs_that_onnxruntime_does_not_take(copy: Path) -> None:
    description = json.loads((copy / "translator.json").read_text())
    (copy / "translator.json").write_text(json.dumps(description | {"version": 2}))
    assert failure(copy) == (
        "MODEL/translator.json: the format has version 2, but this release reads versions up to 1; install a newer "
        "release of seq2seq"
    )
    import hashlib

    (copy / "encoder.onnx").write_bytes(b"no graph")
    description["files"]["encoder.onnx"] = hashlib.sha256(b"no graph").hexdigest()
    (copy / "translator.json").write_text(json.dumps(description))
    assert failure(copy).startswith("MODEL/encoder.onnx: onnxruntime cannot use it (")
    del description["files"]["decoder_step.onnx"]
    (copy / "translator.json").write_text(json.dumps(description))
    assert failure(copy) == "MODEL: the description names no decoder_step.onnx; export the model again"
