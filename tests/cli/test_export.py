"""seq2seq-export and seq2seq-translate-onnx, and the other commands on what the first one writes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from seq2seq.cli import export
from tests.cli.conftest import Command
from tests.conftest import SENTENCES

TEXT = "".join(f"{line}\n" for line in [*SENTENCES, "", "the dog\u2028sees"]).encode()


@pytest.fixture(scope="module")
def bundle(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "small.s2s"
    assert export.main(["--model", str(small_model), "--format", "bundle", "-o", str(path), "--quiet"]) == 0
    return path


@pytest.fixture(scope="module")
def folder(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    path = tmp_path_factory.mktemp("folders") / "small-onnx"
    assert export.main(["--model", str(small_model), "--format", "onnx", "-o", str(path), "--quiet"]) == 0
    return path


def test_every_command_takes_a_bundle(bundle: Path, small_model: Path, tmp_path: Path, command: Command) -> None:
    expected = command("translate", "-m", small_model, stdin=TEXT).output
    assert command("translate", "-m", bundle, stdin=TEXT).output == expected
    both = command("translate", "-m", bundle, bundle, stdin=TEXT)
    assert (both.status, both.output) == (0, expected)
    (tmp_path / "in").write_bytes(TEXT)
    (tmp_path / "ref").write_bytes(expected)
    pair = ("-i", tmp_path / "in", "--ref", tmp_path / "ref")
    assert command("score", "-m", bundle, *pair).output == command("score", "-m", small_model, *pair).output
    assert b"BLEU = 100.00" in command("evaluate", "-m", bundle, *pair).output
    assert command("evaluate", "-m", bundle).error.startswith(f"the recipe of {bundle} has no corpus.test")
    shown = command("benchmark", "-m", bundle, "--synthetic", "5", "--sentences", "4", "--rounds", "1", "--beam", "1")
    assert shown.status == 0


def test_the_environment_may_name_a_bundle(bundle: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQ2SEQ_MODEL", str(bundle))
    ended = command("translate", stdin=b"a\n")
    assert ended.status == 0
    assert f"model {bundle} ($SEQ2SEQ_MODEL)" in ended.said


def test_a_damaged_bundle_is_one_sentence(bundle: Path, tmp_path: Path, command: Command) -> None:
    cut = tmp_path / "cut.s2s"
    cut.write_bytes(bundle.read_bytes()[:-7])
    assert command("translate", "-m", cut).error == f"{cut}: the bundle is damaged or truncated; copy it again"
    assert command("evaluate", "-m", cut).error == f"{cut}: the bundle is damaged or truncated; copy it again"


def test_what_it_says(small_model: Path, tmp_path: Path, command: Command) -> None:
    ended = command("export", "-m", small_model, "--format", "bundle", "-o", tmp_path / "small.s2s")
    size = (tmp_path / "small.s2s").stat().st_size / 1e6
    assert (ended.status, ended.output) == (0, b"")
    assert ended.said == (
        f"seq2seq-export: model {small_model} (--model) is in {tmp_path / 'small.s2s'}, {size:.1f} MB\n"
    )
    assert zipfile.is_zipfile(tmp_path / "small.s2s")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["--format", "bundle"], "the following arguments are required: -o/--output; see seq2seq-export --help"),
        (["-o", "{here}/out"], "the following arguments are required: --format; see seq2seq-export --help"),
        (["--format", "zip", "-o", "{here}/out"], "argument --format: invalid choice: 'zip'"),
        (["--format", "bundle", "-o", "{here}/there"], "the output {here}/there exists already; name another, or"),
        (["--format", "bundle", "-o", "{here}/no/out"], "the folder {here}/no for the output out does not exist; make"),
        (["--format", "bundle", "-o", "{here}/out", "-m", "{here}"], "{here} (--model): is no model directory, format"),
        (["--format", "bundle", "-o", "{here}/out", "-m", "{here}/x"], "{here}/x (--model): does not exist; name a"),
        (["--format", "bundle", "-o", "{here}/out", "-m", "{here}/there"], "{here}/there (--model): is a file; name"),
    ],
)
def test_what_cannot_be(line: list[str], message: str, tmp_path: Path, command: Command) -> None:
    (tmp_path / "there").write_text("")
    here = str(tmp_path)
    assert command("export", *(each.format(here=here) for each in line)).error.startswith(message.format(here=here))
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_without_the_extra(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    assert command("export", "--format", "onnx", "-o", tmp_path / "out").error == (
        "--format onnx needs onnx and onnxruntime, not installed here; pip install 'seq2seq-toolkit[onnx]'"
    )


def test_the_exported_model_translates(folder: Path, small_model: Path, tmp_path: Path, command: Command) -> None:
    expected = command("translate", "-m", small_model, stdin=TEXT).output
    ended = command("translate-onnx", "-m", folder, "--threads", "1", stdin=TEXT)
    assert (ended.status, ended.output) == (0, expected)
    assert f"seq2seq-translate-onnx: model {folder}: 10 lines in " in ended.said
    (tmp_path / "in").write_bytes(TEXT)
    options = ("--beam", "2", "--lenpen", "0.3", "--max-length", "7", "--batch-size", "3", "-i", tmp_path / "in")
    expected = command("translate", "-m", small_model, *options).output
    out = tmp_path / "out"
    assert command("translate-onnx", "-m", folder, *options, "-o", out, "-q").said == ""
    assert out.read_bytes() == expected
    assert command("translate-onnx", "-m", folder, stdin=b"").output == b""
    replaced = command("translate-onnx", "-m", folder, stdin=b"caf\xe9\n")
    assert "warning: the input is not UTF-8 in 1 place of 1 line" in replaced.said


def test_what_the_exported_model_is_not(folder: Path, small_model: Path, tmp_path: Path, command: Command) -> None:
    assert command("translate-onnx").error.startswith("the following arguments are required: -m/--model")
    assert command("translate-onnx", "-m", small_model).error.startswith(f"{small_model}: is no exported model")
    assert command("translate-onnx", "-m", folder, "-i", tmp_path / "no").error.startswith("the input file")
    assert command("translate", "-m", folder).error == (
        f"{folder} (--model): is an exported model; seq2seq-translate-onnx translates with it"
    )
