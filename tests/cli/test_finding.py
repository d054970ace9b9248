from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from seq2seq.cli.finding import find_model, find_models
from seq2seq.errors import ModelError


def model(directory: Path, *, trained: int | None) -> Path:
    """A folder that looks like a model; `trained` is when its weights were written."""
    directory.mkdir(parents=True)
    (directory / "format.json").write_text("{}")
    if trained is not None:
        (directory / "weights.safetensors").write_bytes(b"")
        os.utime(directory / "weights.safetensors", (trained, trained))
    return directory


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEQ2SEQ_MODEL", raising=False)
    return tmp_path


def test_a_bundle_is_a_model_wherever_one_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = here / "en-fr.s2s"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("format.json", "{}")
    assert find_model(bundle) == (bundle, "--model")
    assert find_models([bundle, bundle]) == ((bundle, bundle), "--model")
    monkeypatch.setenv("SEQ2SEQ_MODEL", "en-fr.s2s")
    assert find_model(None) == (Path("en-fr.s2s"), "$SEQ2SEQ_MODEL")
    (here / "text").write_text("PK is how the text begins")
    with pytest.raises(ModelError, match=r"^text \(--model\): is a file; name the model directory"):
        find_model(Path("text"))


def test_the_option_goes_before_the_environment_before_the_newest_run(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(here / "runs" / "old", trained=1000)
    model(here / "runs" / "new", trained=3000)
    model(here / "runs" / "middle", trained=2000)
    model(here / "runs" / "begun", trained=None)
    (here / "runs" / "a-file").write_text("")
    assert find_model(None) == (Path("runs/new"), "the newest run")
    monkeypatch.setenv("SEQ2SEQ_MODEL", "")
    assert find_model(None)[0] == Path("runs/new")
    monkeypatch.setenv("SEQ2SEQ_MODEL", "runs/old")
    assert find_model(None) == (Path("runs/old"), "$SEQ2SEQ_MODEL")
    assert find_model(Path("runs/middle")) == (Path("runs/middle"), "--model")


def test_nothing_to_be_found(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    advice = r"name a model with --model or \$SEQ2SEQ_MODEL, or train one with seq2seq-train$"
    with pytest.raises(ModelError, match=r"^there is no folder runs/ here; " + advice):
        find_model(None)
    model(here / "runs" / "begun", trained=None)
    with pytest.raises(ModelError, match=r"^no run under runs/ has weights yet; " + advice):
        find_model(None)
    monkeypatch.setenv("SEQ2SEQ_MODEL", "nowhere")
    with pytest.raises(ModelError, match=r"^nowhere \(\$SEQ2SEQ_MODEL\): does not exist"):
        find_model(None)
