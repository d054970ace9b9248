"""Averaging weights: of several validations of one run, or of several runs of one recipe, into a model of its own."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from seq2seq.errors import ModelError, Seq2SeqError, UsageError
from seq2seq.model_directory import load_description, read_weights, save_description, save_weights
from seq2seq.model_files import WEIGHTS
from seq2seq.recipe import Recipe, differences, starting_directory
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.kept import KeptWeights, best_of, kept_weights
from seq2seq.training.run_directory import RunDirectory


@dataclass(frozen=True)
class Selection:
    """Which of the weights that a run has kept are averaged; one of the three is given."""

    last: int | None = None
    best: int | None = None
    updates: tuple[int, ...] = ()

    @property
    def given(self) -> bool:
        """Whether anything is chosen."""
        return self.last is not None or self.best is not None or bool(self.updates)


def select_weights(directory: Path, selection: Selection) -> list[Path]:
    """The files of weights that `selection` chooses among those that the run in `directory` has kept.

    Raises:
        ModelError: the directory is no model, or the run has not kept so many.
    """
    recipe, _, _ = load_description(directory)
    folder = RunDirectory(directory).training
    kept = kept_weights(folder)
    advice = "raise training.keep and train, or choose among these"
    have = _listed(kept)
    if selection.updates:
        by_update = {each.update: each for each in kept}
        missing = [update for update in selection.updates if update not in by_update]
        if missing:
            raise ModelError(f"{folder}: the weights of update {missing[0]} are not kept; there are {have}; {advice}")
        return [by_update[update].path for update in selection.updates]
    count = selection.last if selection.last is not None else selection.best
    assert count is not None
    if len(kept) < count:
        raise ModelError(f"{folder}: {count} are to be averaged, but there are {have}; {advice}")
    if selection.last is not None:
        return [each.path for each in kept[-count:]]
    return [each.path for each in best_of(kept, count, metric=recipe.training.validation.metric)]


def average_weights(files: Sequence[Path]) -> tuple[dict[str, Tensor], list[dict[str, str]]]:
    """The mean of the tensors in files of weights, summed in float64 and given in float32; and each file's metadata.

    One file is in memory at a time.

    Raises:
        ModelError: a file is damaged, holds other tensors than the first, or numbers that are none.
    """
    sums: dict[str, Tensor] = {}
    metadata = []
    for path in files:
        weights, about = read_weights(path)
        metadata.append(about)
        if sums and {name: tensor.shape for name, tensor in weights.items()} != {
            name: tensor.shape for name, tensor in sums.items()
        }:
            raise ModelError(
                f"{path}: its weights are those of another network than in {files[0]}; leave one of them out"
            )
        for name, tensor in weights.items():
            if not bool(torch.isfinite(tensor).all()):
                raise ModelError(f"{path}: {name} holds numbers that are infinite or none; leave this file out")
            sums[name] = sums[name].add_(tensor.double()) if name in sums else tensor.double()
    return {name: (total / len(files)).float() for name, total in sums.items()}, metadata


def average_models(sources: Sequence[Path], selection: Selection, output: Path) -> list[str]:
    """Make the model directory `output` of the mean of weights; returns lines that say of which.

    Args:
        sources: one model directory, of whose kept weights `selection` chooses; or several, of whose own weights the
            mean is taken.
        selection: see there.
        output: is made; must not exist.

    Raises:
        UsageError: the arguments cannot be used together.
        ModelError: a directory cannot be used, or they hold models of different networks or vocabularies.
    """
    _check_request(sources, selection, output)
    recipe, source_tokenizer, target_tokenizer = _common(sources)
    files = select_weights(sources[0], selection) if selection.given else [_weights(each) for each in sources]
    weights, metadata = average_weights(files)
    tokenizers = {"source_tokenizer": source_tokenizer.fingerprint, "target_tokenizer": target_tokenizer.fingerprint}
    for path, about in zip(files, metadata, strict=True):
        if any(about.get(key) != value for key, value in tokenizers.items()):
            raise ModelError(f"{path}: the weights were trained with other tokenizers than those of the model")
    origins = [_origin(path, about) for path, about in zip(files, metadata, strict=True)]
    _write(output, recipe, source_tokenizer, target_tokenizer, weights, {"average_of": json.dumps(origins)})
    lines = [f"averaged {len(files)} sets of weights into {output}:"]
    for origin in origins:
        figures = [f"{key} {float(origin[key]):.3f}" for key in ("loss", "bleu", "chrf") if key in origin]
        words = [f"update {origin['update']}" if "update" in origin else "update unknown", *figures]
        lines.append(f"  {origin['file']}: {', '.join(words)}")
    return lines


def _check_request(sources: Sequence[Path], selection: Selection, output: Path) -> None:
    """Raise UsageError for arguments that cannot be used together."""
    if len(sources) > 1 and selection.given:
        raise UsageError(
            "--last, --best and --updates choose among the weights of one run; name one directory, or leave them out"
        )
    if len(sources) == 1 and not selection.given:
        raise UsageError(
            f"one model has nothing to average; say which weights that {sources[0]} has kept, with --last, --best or "
            "--updates, or name several models"
        )
    if output.exists():
        raise UsageError(f"the output {output} exists already; name another folder, or remove it first")
    if not output.parent.is_dir():
        raise UsageError(f"the folder {output.parent} for the output {output.name} does not exist; make it first")


def _is_of_the_network(path: str) -> bool:
    """Whether a key says what a trained network computes, rather than how it was trained.

    Zoneout's rate does, for a trained network mixes its states by it, so what is inside the recurrence counts.
    """
    section, _, key = path.rpartition(".")
    only_in_training = {"dropout", "embedding_dropout", "word_dropout", "output_dropout", "variational"}
    return path.startswith("model.") and section != "model.initialization" and key not in only_in_training


def _common(sources: Sequence[Path]) -> tuple[Recipe, Tokenizer, Tokenizer]:
    """The description of the first of several models, which the others must share."""
    first, source, target = load_description(sources[0])
    for directory in sources[1:]:
        other, *tokenizers = load_description(directory)
        found = [each for each in differences(first, other) if _is_of_the_network(each.path)]
        if found:
            raise ModelError(
                f"{directory}: has another network than {sources[0]} ({found[0].path} is {found[0].new} against "
                f"{found[0].old}), so their weights have no mean; leave one of them out, or use both as an ensemble"
            )
        for side, mine, its in zip(("source", "target"), (source, target), tokenizers, strict=True):
            if mine.fingerprint != its.fingerprint:
                raise ModelError(
                    f"{directory}: has another {side} vocabulary than {sources[0]}, so their weights have no mean; "
                    "leave one of them out"
                )
    return first, source, target


def started_apart(sources: Sequence[Path]) -> bool:
    """Whether several models began from different random weights, as far as their recipes tell.

    The mean of such weights is as a rule no better than chance.
    """
    return len({_beginning(directory) for directory in sources}) > 1


def _beginning(directory: Path) -> str:
    """What tells the first weights of a model apart: its seed, or that of the model it was fine-tuned from."""
    recipe, _, _ = load_description(directory)
    if recipe.training.fine_tuning is None:
        return f"seed {recipe.run.seed}"
    try:
        return _beginning(starting_directory(recipe))
    except ModelError:  # it is gone
        return recipe.training.fine_tuning.model


def _weights(directory: Path) -> Path:
    path = directory / WEIGHTS
    if directory.is_file():
        raise ModelError(f"{directory}: is a bundle, which is not averaged; make a model directory of it with unzip")
    if not path.is_file():
        raise ModelError(
            f"{directory}: there are no weights yet; the first validation of its training writes {WEIGHTS}"
        )
    return path


def _origin(path: Path, metadata: Mapping[str, str]) -> dict[str, str]:
    """What is recorded of a file: its path, and the update and figures that it was kept with."""
    return {"file": str(path), **{key: metadata[key] for key in ("update", "loss", "bleu", "chrf") if key in metadata}}


def _write(
    output: Path, recipe: Recipe, source: Tokenizer, target: Tokenizer, weights: Mapping[str, Tensor],
    metadata: Mapping[str, str],
) -> None:  # fmt: skip
    """Write a model directory wholly or not at all."""
    temporary = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        save_description(temporary, recipe=recipe, source_tokenizer=source, target_tokenizer=target)
        save_weights(temporary, weights, source_tokenizer=source, target_tokenizer=target, metadata=metadata)
        os.rename(temporary, output)
    except OSError as error:
        raise Seq2SeqError(f"{output}: cannot be saved ({error.strerror}); nothing was written") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _listed(kept: Sequence[KeptWeights]) -> str:
    """`2 kept, of updates 100 and 200`."""
    if not kept:
        return "none kept"
    updates = [str(each.update) for each in kept]
    listed = " and ".join([", ".join(updates[:-1]), updates[-1]]) if len(updates) > 1 else updates[0]
    return f"{len(kept)} kept, of update{'s' * (len(kept) > 1)} {listed}"
