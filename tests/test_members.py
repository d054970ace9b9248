"""Ensembles of stored models: what they translate, how they align, and which cannot work together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from seq2seq import Translator
from seq2seq.build import build_model
from seq2seq.errors import ModelError, UsageError
from seq2seq.model_directory import save_description, save_weights
from seq2seq.recipe import recipe_from_text
from seq2seq.text.tokenizer import Tokenizer
from tests.conftest import RECIPE, SENTENCES

LINES = ["Where is the station?", "", "I would like two tickets, please.", "the small dog", "bread and milk"]


def replayed(translator: Translator, line: str, ids: list[int]) -> torch.Tensor:
    """Teacher-forced log-probabilities [tgt_len, vocab] of one model, without any search."""
    tokenizer = translator.source_tokenizer
    source = torch.tensor([[*tokenizer.encode_one(line), tokenizer.eos_id]])
    with torch.no_grad():
        read = translator.model(source, torch.tensor([source.shape[1]]), torch.tensor([[2, *ids]]))
    log_probs: torch.Tensor = read.logits[0].double().log_softmax(-1)
    return log_probs


def ids_of(translator: Translator, pieces: tuple[str, ...]) -> list[int]:
    all_pieces = translator.target_tokenizer.pieces(range(340))
    return [all_pieces.index(piece) for piece in pieces]


@pytest.mark.parametrize("combination", ["log-linear", "linear"])
def test_scores_are_those_of_the_combined_members(
    small_model: Path, other_seed: Path, characters: Path, blind: Path, combination: Any
) -> None:
    """Other cells, other sizes, other source pieces, no attention: replayed by teacher forcing, each model alone."""
    directories, weights = [small_model, other_seed, characters, blind], [2.0, 1.0, 0.5, 1.5]
    ensemble = Translator.load(directories, device="cpu", combination=combination, weights=weights)
    alone = [Translator.load(directory, device="cpu") for directory in directories]
    assert ensemble.options == alone[0].options
    for line, found in zip(LINES, ensemble.translate(LINES, n_best=3), strict=True):
        for translation in found:
            if not line:
                assert translation.text == ""
                continue
            ids = ids_of(ensemble, translation.pieces)
            probabilities = torch.stack([replayed(each, line, ids).exp() for each in alone])  # [4, tgt_len, 340]
            shares = torch.tensor(weights, dtype=torch.float64)[:, None, None] / 5.0
            if combination == "linear":
                together = (probabilities * shares).sum(0)
            else:
                together = (probabilities**shares).prod(0)
                together = together / together.sum(-1, keepdim=True)
            tokens = [*ids, 3] if translation.finished else ids
            expected = together[range(len(tokens)), tokens].log()
            assert translation.piece_log_probs == pytest.approx(expected.tolist(), abs=2e-5)


def test_an_ensemble_of_one_is_the_model(translator: Translator, small_model: Path) -> None:
    assert Translator.load([small_model], device="cpu").translate(LINES) == translator.translate(LINES)


def test_a_model_with_itself_translates_alike(translator: Translator, small_model: Path) -> None:
    twice = Translator.load([small_model, small_model], device="cpu", weights=[1, 3])
    for found, expected in zip(twice.translate(LINES), translator.translate(LINES), strict=True):
        assert (found.text, found.alignment) == (expected.text, expected.alignment)
        assert found.score == pytest.approx(expected.score, abs=1e-5)


def test_the_batch_does_not_matter(small_model: Path, other_seed: Path, characters: Path) -> None:
    ensemble = Translator.load([small_model, characters, other_seed], device="cpu")
    lines = [line for line in SENTENCES for _ in range(2)] + LINES
    together = ensemble.translate(lines, batch_size=7)
    assert [each.text for each in together] == [ensemble.translate(line).text for line in lines]


def test_alignment_is_that_of_the_first_that_has_one(
    small_model: Path, other_seed: Path, characters: Path, blind: Path
) -> None:
    """The mean of members that read the same pieces; others, and those without attention, are left out."""
    loaded = Translator.load([blind, characters, small_model, other_seed], device="cpu")
    assert loaded.has_attention
    assert loaded._batch_search.ensemble.attending == (1,)
    [translation] = loaded.translate([LINES[2]])
    assert {source for source, _ in translation.alignment} <= set(range(len(LINES[2].split())))
    assert len(translation.alignment) == len(translation.text.split())
    loaded = Translator.load([blind, small_model, characters, other_seed], device="cpu")
    assert loaded._batch_search.ensemble.attending == (1, 3)
    assert not Translator.load([blind, blind], device="cpu").has_attention


def test_another_target_vocabulary_is_one_sentence(small_model: Path, tmp_path: Path, characters: Path) -> None:
    for name, text, how in (
        ("fewer", SENTENCES, "80 pieces against 340"),
        ("other", [sentence.replace("cat", "cow") for sentence in SENTENCES], "piece "),
    ):
        tokenizer = Tokenizer.train(
            text, algorithm="unigram", vocabulary_size=80 if name == "fewer" else 340, byte_fallback=name != "fewer"
        )
        recipe = recipe_from_text(RECIPE, "recipe")
        size = tokenizer.vocabulary_size
        model = build_model(recipe.model, source_vocabulary=size, target_vocabulary=size)
        directory = tmp_path / name
        save_description(directory, recipe=recipe, source_tokenizer=tokenizer, target_tokenizer=tokenizer)
        weights = dict(model.named_parameters())
        save_weights(directory, weights, source_tokenizer=tokenizer, target_tokenizer=tokenizer, metadata={})
        with pytest.raises(ModelError) as caught:
            Translator.load([small_model, characters, directory], device="cpu")
        message = str(caught.value)
        assert message.startswith(f"{directory}: has another target vocabulary than {small_model} ({how}")
        assert "\n" not in message


def test_what_cannot_be_asked_for(small_model: Path) -> None:
    both: Any = [small_model, small_model]
    for options, message in (
        ({"weights": [1.0]}, "there are 1 weights for 2 models; give one for each, in their order"),
        ({"weights": [1.0, 0.0]}, "the weight of a model must be a number above 0, not 0.0"),
        ({"weights": [1.0, "2"]}, "the weight of a model must be a number above 0, not '2'"),
        ({"combination": "mean"}, "combination must be log-linear or linear, not 'mean'"),
    ):
        with pytest.raises(UsageError) as caught:
            Translator.load(both, device="cpu", **options)  # type: ignore[arg-type]
        assert str(caught.value) == message
    with pytest.raises(UsageError, match="needs a model directory"):
        Translator.load([])
