"""Bundles: one file that translates as the model directory does, and every way in which it can be broken."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from seq2seq.errors import ModelError, Seq2SeqError
from seq2seq.export.bundle import write_bundle
from seq2seq.model_directory import load_description, load_model
from seq2seq.translator import Translator
from tests.conftest import SENTENCES

CPU = torch.device("cpu")
JOINT = ["format.json", "recipe.yaml", "source.spm", "weights.safetensors"]


@pytest.fixture(scope="module")
def bundle(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "small.s2s"
    write_bundle(small_model, path)
    return path


def failure(path: Path) -> str:
    """What loading says: one sentence that names the bundle."""
    with pytest.raises(ModelError) as caught:
        load_model(path, device=CPU)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message.replace(str(path), "BUNDLE")


def rewritten(bundle: Path, path: Path, **changes: bytes | None) -> Path:
    """A copy of the bundle with other files in it, by the first part of their names; None leaves one out."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = changes.get(name.partition(".")[0], old.read(name))
            if content is not None:
                new.writestr(name, content)
    return path


def test_it_translates_as_the_directory_does(bundle: Path, translator: Translator) -> None:
    loaded = Translator.load(bundle, device="cpu")
    assert loaded.translate(SENTENCES) == translator.translate(SENTENCES)
    assert loaded.options == translator.options
    both = Translator.load([bundle, bundle], device="cpu")
    assert [each.text for each in both.translate(SENTENCES)] == [each.text for each in translator.translate(SENTENCES)]


def test_it_holds_the_files_of_the_directory_and_no_others(
    bundle: Path, small_model: Path, characters: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(small_model, tmp_path / "run"))
    (run / "training").mkdir()
    (run / "training" / "checkpoint.safetensors").write_bytes(b"long")
    (run / "report.md").write_text("report")
    write_bundle(run, tmp_path / "run.s2s")
    with zipfile.ZipFile(tmp_path / "run.s2s") as archive:
        assert archive.namelist() == JOINT
        assert all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())
        assert all(archive.read(name) == (small_model / name).read_bytes() for name in JOINT)
    write_bundle(characters, tmp_path / "two.s2s")
    with zipfile.ZipFile(tmp_path / "two.s2s") as archive:
        assert set(archive.namelist()) == {*JOINT, "target.spm"}


def test_the_same_model_gives_the_same_bytes(bundle: Path, small_model: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(small_model, tmp_path / "copy"))
    for name in JOINT:
        os.utime(copy / name, (1_000_000_000, 1_000_000_000))
        (copy / name).chmod(0o600)
    write_bundle(copy, tmp_path / "copy.s2s")
    assert (tmp_path / "copy.s2s").read_bytes() == bundle.read_bytes()
    write_bundle(bundle, tmp_path / "again.s2s")
    assert (tmp_path / "again.s2s").read_bytes() == bundle.read_bytes()


def test_a_zip_program_makes_a_model_directory_of_it(bundle: Path, tmp_path: Path, translator: Translator) -> None:
    subprocess.run([sys.executable, "-m", "zipfile", "-e", bundle, tmp_path / "model"], check=True)
    made = Translator.load(tmp_path / "model", device="cpu")
    assert made.translate(SENTENCES[:2]) == translator.translate(SENTENCES[:2])


def test_metadata_and_tokenizers_come_back(bundle: Path, characters: Path, tmp_path: Path) -> None:
    assert load_model(bundle, device=CPU).metadata == load_model(bundle.parent / bundle.name, device=CPU).metadata
    write_bundle(characters, tmp_path / "two.s2s")
    there, here = load_model(characters, device=CPU), load_model(tmp_path / "two.s2s", device=CPU)
    assert here.metadata == there.metadata
    assert here.metadata["version"] == "3"
    assert here.source_tokenizer.to_bytes() == there.source_tokenizer.to_bytes()
    assert here.target_tokenizer.to_bytes() == there.target_tokenizer.to_bytes()
    assert here.recipe == there.recipe
    theirs = there.model.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in here.model.state_dict().items())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_a_truncated_bundle(share: float, bundle: Path, tmp_path: Path) -> None:
    data = bundle.read_bytes()
    path = tmp_path / "cut.s2s"
    path.write_bytes(data[: int(share * len(data))])
    assert failure(path) == "BUNDLE: the bundle is damaged or truncated; copy it again"


@pytest.mark.parametrize("name", JOINT)
def test_a_changed_byte(name: str, bundle: Path, tmp_path: Path) -> None:
    """A flipped bit that the weights themselves would not notice: the archive's checksum does."""
    data = bytearray(bundle.read_bytes())
    with zipfile.ZipFile(bundle) as archive:
        member = archive.getinfo(name)
    name_length, extra_length = struct.unpack_from("<HH", data, member.header_offset + 26)
    data[member.header_offset + 30 + name_length + extra_length + member.file_size - 1] ^= 1
    path = tmp_path / "flipped.s2s"
    path.write_bytes(data)
    assert failure(path) == f"BUNDLE/{name}: the bundle is damaged (Bad CRC-32 for file '{name}'); copy it again"


@pytest.mark.parametrize("name", ["recipe.yaml", "source.spm"])
def test_a_missing_file(name: str, bundle: Path, tmp_path: Path) -> None:
    path = rewritten(bundle, tmp_path / "less.s2s", **{name.partition(".")[0]: None})
    assert failure(path) == f"BUNDLE: the bundle is incomplete, {name} is missing; copy it again"


def test_some_other_archive(bundle: Path, tmp_path: Path) -> None:
    assert failure(rewritten(bundle, tmp_path / "other.zip", format=None)) == (
        "BUNDLE: this is no bundle, format.json is missing"
    )
    assert failure(rewritten(bundle, tmp_path / "begun.s2s", weights=None)).startswith(
        "BUNDLE: there are no weights yet"
    )


@pytest.mark.parametrize("weights", [b"", b"\xff" * 100, b"\x02\x00\x00\x00\x00\x00\x00\x00{}"])
def test_weights_that_are_none(weights: bytes, bundle: Path, tmp_path: Path) -> None:
    message = failure(rewritten(bundle, tmp_path / "bad.s2s", weights=weights))
    assert message.startswith(
        ("BUNDLE/weights.safetensors: the file is damaged or truncated (", "BUNDLE/weights.safetensors: the weights")
    )


@pytest.mark.parametrize("part", ["recipe", "source"])
def test_a_damaged_file_is_named(part: str, bundle: Path, tmp_path: Path) -> None:
    path = rewritten(bundle, tmp_path / "bad.s2s", **{part: b"[\xff"})
    with pytest.raises(Seq2SeqError, match=rf"bad\.s2s/{part}\.(yaml|spm)"):
        load_description(path)


def test_no_bundle_of_a_broken_model(small_model: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(small_model, tmp_path / "broken"))
    weights = broken / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match="damaged or truncated"):
        write_bundle(broken, tmp_path / "broken.s2s")
    assert not list(tmp_path.glob("*.s2s*"))
    assert not list(tmp_path.glob(".*"))
