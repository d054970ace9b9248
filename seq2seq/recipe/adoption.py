"""Fine-tuning with the vocabulary of the model that it starts from: the recipe takes over its tokenizer section."""

from __future__ import annotations

from pathlib import Path

from seq2seq.errors import ModelError, RecipeError
from seq2seq.recipe.schema import Recipe
from seq2seq.recipe.section import contradictions, fields_of
from seq2seq.recipe.tokenizer import TokenizerSection
from seq2seq.recipe.upgrade import load_stored_recipe

#: Files of a model directory; :mod:`seq2seq.model_directory`, which writes them, would import torch.
_RECIPE, _FORMAT = "recipe.yaml", "format.json"


def starting_directory(recipe: Recipe) -> Path:
    """The model directory that `training.fine_tuning.model` names, itself or by a file of weights in it.

    Raises:
        ModelError: there is none, or it is the run's own.
    """
    assert recipe.training.fine_tuning is not None
    named = Path(recipe.training.fine_tuning.model)
    places = [named] if named.is_dir() else []
    # A file of weights, or the folder of what resuming needs, lies in or below its model directory.
    directory = next((each for each in (*places, *list(named.parents)[:2]) if (each / _FORMAT).is_file()), None)
    if directory is None or not named.exists():
        what = "holds no model" if named.exists() else "does not exist"
        raise ModelError(
            f"training.fine_tuning.model: {named} {what}; name a directory that seq2seq-train wrote, such as runs/en-fr"
        )
    own = Path(recipe.run.directory) / recipe.run.name
    if directory.resolve() == own.resolve():
        raise ModelError(
            f"training.fine_tuning.model: {named} is the run's own folder; choose another run.name, such as "
            f"{recipe.run.name}-tuned"
        )
    return directory


def with_adopted_tokenizer(recipe: Recipe) -> Recipe:
    """The recipe as it is trained: for fine-tuning that keeps the vocabulary, with the old model's tokenizer section.

    Of the section only `sampling` is the recipe's own. A run that has begun is asked in place of the old model, which
    may be gone.

    Raises:
        ModelError: the old model cannot be found.
        RecipeError: the recipe asks for another tokenizer, or for what the old one does not allow.
    """
    tuning = recipe.training.fine_tuning
    if tuning is None or tuning.vocabulary != "keep":
        return recipe
    run = Path(recipe.run.directory) / recipe.run.name
    begun = load_stored_recipe(run / _RECIPE) if (run / _FORMAT).is_file() else None
    if begun is not None and begun.training.fine_tuning is None:
        return recipe  # another run, which is not continued in any case
    directory = run if begun is not None else starting_directory(recipe)
    old = begun if begun is not None else load_stored_recipe(directory / _RECIPE)
    _check_agreement(recipe.tokenizer, old.tokenizer, directory)
    tokenizer = old.tokenizer.model_copy(update={"sampling": recipe.tokenizer.sampling})
    adopted = recipe.model_copy(update={"tokenizer": tokenizer})
    found = [(f"tokenizer.{each.keys[0]}", each.message) for each in contradictions(TokenizerSection, tokenizer)]
    found += [(each.keys[0], each.message) for each in contradictions(Recipe, adopted)]
    if found:
        key, message = found[0]
        raise RecipeError(f"{key}: with the tokenizer of {directory}, {message}")
    return adopted


def _check_agreement(ours: TokenizerSection, theirs: TokenizerSection, directory: Path) -> None:
    """Raise RecipeError where the recipe writes down another tokenizer than that of the model in `directory`."""
    names = [name for name in fields_of(TokenizerSection) if name in ours.model_fields_set and name != "sampling"]
    differing = [name for name in names if getattr(ours, name) != getattr(theirs, name)]
    if differing:
        found = ", ".join(f"tokenizer.{name} is {_shown(getattr(ours, name))}" for name in differing)
        there = ", ".join(_shown(getattr(theirs, name)) for name in differing)
        raise RecipeError(
            f"{found}, but {there} in {directory}, whose tokenizers fine-tuning keeps; remove what differs, or set "
            "training.fine_tuning.vocabulary: carry"
        )


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
