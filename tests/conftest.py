"""A small model with random weights, for tests of everything above the network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from seq2seq.build import build_model
from seq2seq.model_directory import save_description, save_weights
from seq2seq.recipe import Recipe, recipe_from_text
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.translator import Translator

# Tests compute so little at a time that a second thread only waits, long where processors are shared.
torch.set_num_threads(1)

RECIPE = """
corpus:
  source_language: en
  target_language: fr
  train: [{prefix: train}]
  validation: [{prefix: valid}]
model:
  encoder: {hidden_size: 12, embedding_size: 8}
  attention: {type: general, context: output}
  decoder: {hidden_size: 16, embedding_size: 8}
search: {max_input_pieces: 40, batch_size: 8, max_length_ratio: 1.0, max_length_offset: 8}
run: {name: small}
"""

GRU = RECIPE.replace("{hidden_size: 12, embedding_size: 8}", "{cell: gru, hidden_size: 10, embedding_size: 6}")
BLIND = RECIPE.replace("{type: general, context: output}", "{type: none, context: none}")

SENTENCES = [
    "The small cat sleeps, and the old dog sees it.",
    "Where is the station? It is behind the market.",
    "I would like two tickets, please; one for me and one for my sister.",
    "She buys bread and milk: the shop is open until eight.",
    "Le petit chat dort, et le vieux chien le voit.",
    "Où est la gare ? Elle est derrière le marché.",
    "Je voudrais deux billets, s'il vous plaît ; un pour moi et un pour ma sœur.",
    "Elle achète du pain et du lait : le magasin est ouvert jusqu'à huit heures.",
]


def save_small_model(directory: Path, *, recipe_text: str = RECIPE, seed: int = 39) -> Path:
    """Write a model directory whose translations are gibberish of sensible length, different for every source."""
    torch.set_num_threads(1)
    recipe: Recipe = recipe_from_text(recipe_text, "recipe")
    tokenizer = Tokenizer.train(SENTENCES, algorithm="unigram", vocabulary_size=340, byte_fallback=True)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = build_model(recipe.model, source_vocabulary=340, target_vocabulary=340)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(3.0)
            model.output.weight.mul_(3.0)
            model.output.bias[tokenizer.eos_id] = 1.5
            model.output.bias[4:260] = -3.0  # the bytes, of which little text is made
    save_description(directory, recipe=recipe, source_tokenizer=tokenizer, target_tokenizer=tokenizer)
    save_weights(
        directory,
        dict(model.named_parameters()),
        source_tokenizer=tokenizer,
        target_tokenizer=tokenizer,
        metadata={},
    )
    return directory


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a small model with attention."""
    return save_small_model(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="session")
def translator(small_model: Path) -> Translator:
    """The small model, loaded."""
    return Translator.load(small_model, device="cpu")


@pytest.fixture(scope="session")
def other_seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of another kind."""
    return save_small_model(tmp_path_factory.mktemp("models") / "other", recipe_text=GRU, seed=40)


@pytest.fixture(scope="session")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model without attention."""
    return save_small_model(tmp_path_factory.mktemp("models") / "blind", recipe_text=BLIND, seed=41)


@pytest.fixture(scope="session")
def characters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads characters, and writes the pieces that the others write."""
    directory = tmp_path_factory.mktemp("models") / "characters"
    recipe = recipe_from_text(RECIPE, "recipe", ["tokenizer.joint=false"])
    source = Tokenizer.train(SENTENCES, algorithm="char", vocabulary_size=100)
    target = Tokenizer.train(SENTENCES, algorithm="unigram", vocabulary_size=340, byte_fallback=True)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = build_model(recipe.model, source_vocabulary=source.vocabulary_size, target_vocabulary=340)
    save_description(directory, recipe=recipe, source_tokenizer=source, target_tokenizer=target)
    weights = dict(model.named_parameters())
    save_weights(directory, weights, source_tokenizer=source, target_tokenizer=target, metadata={})
    return directory


@pytest.fixture(scope="session")
def fill() -> Callable[..., nn.Module]:
    """A function that gives a network weights by a formula: the k-th of all its numbers is scale * sin(k * k)."""

    def fill_with_sines(module: nn.Module, scale: float = 0.5) -> nn.Module:
        first = 1
        with torch.no_grad():
            for parameter in module.parameters():
                numbers = torch.arange(first, first + parameter.numel(), dtype=torch.float64)
                parameter.copy_((scale * torch.sin(numbers * numbers)).view_as(parameter))
                first += parameter.numel()
        return module

    return fill_with_sines
