from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seq2seq.errors import ModelError, UsageError
from seq2seq.export.bundle import write_bundle
from seq2seq.model_directory import load_description, load_model, load_shortlist, save_shortlist
from seq2seq.shortlist import Shortlist
from seq2seq.translation_options import TranslationOptions
from seq2seq.translator import Translator

LINES = ["Where is the station?", "The small cat sleeps.", "", "two tickets, please", "bread and milk", "She sees it"]


def directory_with(directory: Path, small_model: Path, *, most: int) -> Path:
    shutil.copytree(small_model, directory)
    _, source, target = load_description(directory)
    pieces = torch.arange(source.vocabulary_size)[:, None]
    likely = (pieces * 31 + 17 * torch.arange(most)) % (target.vocabulary_size - 260) + 260  # no bytes
    save_shortlist(
        directory,
        Shortlist(likely, torch.tensor([target.eos_id]), target.vocabulary_size),
        source=source,
        target=target,
    )
    return directory


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Path:
    """The small model with a shortlist of four pieces for every source piece."""
    return directory_with(tmp_path_factory.mktemp("listed") / "model", small_model, most=4)


@pytest.mark.parametrize("beam", [1, 4])
def test_translations_use_their_own_pieces_whatever_the_company(listed: Path, beam: int) -> None:
    translator = Translator.load(listed, device="cpu")
    stored = load_model(listed, device=torch.device("cpu"))
    table = load_shortlist(listed, stored)
    together = translator.translate(LINES, beam=beam, shortlist=True)
    assert [each.text for each in together] != [each.text for each in translator.translate(LINES, beam=beam)]
    for line, translation in zip(LINES, together, strict=True):
        alone = translator.translate(line, beam=beam, shortlist=True)
        assert alone.pieces == translation.pieces
        assert alone.log_prob == pytest.approx(translation.log_prob, abs=1e-4)
        if line:
            ids = stored.source_tokenizer.encode([line])[0]
            allowed = set(stored.target_tokenizer.pieces(table.likely[ids].flatten().tolist()))
            assert set(translation.pieces) <= allowed


def test_a_list_of_everything_changes_nothing(tmp_path: Path, small_model: Path) -> None:
    directory = directory_with(tmp_path / "model", small_model, most=1)
    _, source, target = load_description(directory)
    everything = torch.arange(target.vocabulary_size).expand(source.vocabulary_size, -1).contiguous()
    whole = Shortlist(everything, torch.tensor([target.eos_id]), target.vocabulary_size)
    save_shortlist(directory, whole, source=source, target=target)
    translator = Translator.load(directory, device="cpu")
    for keywords in ({"beam": 3}, {"beam": 1}, {"method": "sampling", "seed": 3}, {"beam": 4, "diversity_groups": 2}):
        plain = translator.translate(LINES, **keywords)  # type: ignore[call-overload]
        listed = translator.translate(LINES, shortlist=True, **keywords)  # type: ignore[call-overload]
        assert [each.text for each in listed] == [each.text for each in plain]
        assert [each.log_prob for each in listed] == pytest.approx([each.log_prob for each in plain], abs=1e-4)


def test_an_ensemble_has_the_first_model_s(listed: Path, other_seed: Path) -> None:
    translator = Translator.load([listed, other_seed], device="cpu")
    both = translator.translate(LINES, beam=3, shortlist=True)
    assert [each.text for each in both] != [each.text for each in translator.translate(LINES, beam=3)]
    assert all(each.text for each, line in zip(both, LINES, strict=True) if line)


def test_damaged_and_foreign_files_are_named(tmp_path: Path, listed: Path, characters: Path) -> None:
    stored = load_model(characters, device=torch.device("cpu"))
    with pytest.raises(ModelError, match="is of other tokenizers than those beside it; make it again"):
        load_shortlist(listed, stored)
    model = tmp_path / "model"
    shutil.copytree(listed, model)
    file = model / "shortlist.safetensors"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(ModelError, match=r"shortlist\.safetensors: the file is damaged or truncated"):
        Translator.load(model, device="cpu").translate("one", shortlist=True)
    file.write_bytes((model / "weights.safetensors").read_bytes())
    with pytest.raises(ModelError, match="make the shortlist again"):
        Translator.load(model, device="cpu").translate("one", shortlist=True)


def test_a_bundle_has_it_too(tmp_path: Path, listed: Path, command: Callable[..., Any]) -> None:
    write_bundle(listed, tmp_path / "model.s2s")
    assert "a bundle cannot be added to" in command("shortlist", tmp_path / "model.s2s").error
    found = Translator.load(tmp_path / "model.s2s", device="cpu").translate(LINES, beam=2, shortlist=True)
    expected = Translator.load(listed, device="cpu").translate(LINES, beam=2, shortlist=True)
    assert [each.text for each in found] == [each.text for each in expected]


def test_errors(small_model: Path, listed: Path) -> None:
    with pytest.raises(ModelError, match="the model has no shortlist; seq2seq-shortlist"):
        Translator.load(small_model, device="cpu").translate("one", shortlist=True)
    stored = load_model(listed, device=torch.device("cpu"))
    own = Translator(
        model=stored.model, source_tokenizer=stored.source_tokenizer, target_tokenizer=stored.target_tokenizer,
        options=TranslationOptions(), device=torch.device("cpu"),
    )  # fmt: skip
    with pytest.raises(UsageError, match="this translator has no shortlist"):
        own.translate("one", shortlist=True)


def test_the_commands(
    tmp_path: Path, small_model: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model"
    shutil.copytree(small_model, model)
    monkeypatch.chdir(tmp_path)
    text = "".join(f"{line}\n" for line in LINES)
    assert "has no shortlist" in command("translate", "-m", model, "--shortlist", stdin=text.encode()).error
    missing = command("shortlist", model, "-q")
    assert missing.status == 2
    assert "train" in missing.said
    assert not (model / "shortlist.safetensors").exists()
    (tmp_path / "train.en").write_text("the cat\nthe dog\n")
    (tmp_path / "train.fr").write_text("le chat\nle chien\n")
    made = command("shortlist", model, "--most", 3, "--common", 5)
    assert made.status == 0
    assert "at most 3 translations of 340 source pieces, and 6 target pieces for all" in made.said
    ended = command("translate", "-m", model, "--shortlist", "--precision", "int8", stdin=text.encode())
    assert ended.status == 0
    assert len(ended.lines) == len(LINES)
