"""A whole run: from a recipe to a trained, evaluated model directory; continued if it was begun before."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from seq2seq.allocator import bound_kernel_cache, keep_freed_memory
from seq2seq.errors import TrainingError
from seq2seq.model_directory import load_description, save_description
from seq2seq.model_evaluation import Evaluated, evaluate_test_sets
from seq2seq.recipe import Recipe, starting_directory, with_adopted_tokenizer
from seq2seq.storage import write_atomically
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.assembly import Limits, assemble
from seq2seq.training.corpora import prepare_corpora
from seq2seq.training.distributed import World
from seq2seq.training.fine_tuning import first_tokenizers
from seq2seq.training.follower import NoDisplay
from seq2seq.training.interrupt import Interrupt
from seq2seq.training.journal import Display, duration, make_display
from seq2seq.training.precision import Precision, chosen_precision
from seq2seq.training.report import make_report
from seq2seq.training.run_directory import RunDirectory
from seq2seq.translator import Translator


@dataclass(frozen=True)
class TrainingResult:
    """What a finished run gives: its folder, the best value of the validation metric and where it was reached."""

    directory: Path
    metric: str
    best: float
    best_update: int
    updates: int
    #: Seconds of training, validation included, over all sittings.
    seconds: float
    #: Scores of the best model on every test corpus of the recipe; empty without `evaluation.after_training`.
    tests: tuple[Evaluated, ...]


def train(
    recipe: Recipe,
    *,
    fresh: bool = False,
    display: Display | None = None,
    stop_after: int | None = None,
    validation_sentences: int | None = None,
    alone: bool = False,
) -> TrainingResult:
    """Train `recipe`, or continue the run that was begun with it, to its end.

    Started by torchrun, the processes train it together; what follows is of the first of them, and the others only
    compute, and end by SystemExit where the first one raises.

    Args:
        recipe: from :func:`seq2seq.load_recipe`.
        fresh: start over; the old run is renamed, not removed.
        display: where progress is shown; by default stderr.
        stop_after: end after this many updates, whatever the recipe says; for a trial.
        validation_sentences: decode only this many in validation, whatever the recipe says; for a trial.
        alone: train in this process only, whatever torchrun says; for a trial.

    Raises:
        Seq2SeqError: the corpus, the recipe, the device or the folder cannot be used.
        KeyboardInterrupt: SIGINT or SIGTERM came; the state has been saved, and the same call continues.
    """
    limits = Limits(stop_after, validation_sentences)
    directory = RunDirectory(Path(recipe.run.directory) / recipe.run.name)
    join = World.alone if alone else World.join
    with join(recipe.run.device) as world, Interrupt(patient=world.size > 1) as interrupt:
        if not world.leads:
            return _train(with_adopted_tokenizer(recipe), directory, NoDisplay(), interrupt, limits, world)
        shown = display or make_display()
        try:
            if fresh and recipe.training.fine_tuning is not None:
                starting_directory(recipe)  # which must not be the run that is put aside
            if fresh and (aside := directory.set_aside()) is not None:
                shown.message(f"the old run is now {aside}")
            recipe = with_adopted_tokenizer(recipe)
            with directory:
                return _train(recipe, directory, shown, interrupt, limits, world)
        finally:
            shown.close()


def _train(
    recipe: Recipe, directory: RunDirectory, display: Display, interrupt: Interrupt, limits: Limits, world: World
) -> TrainingResult:
    began = time.monotonic()
    device = world.device
    if world.size > 1 and recipe.model.attention.type == "hard":
        raise TrainingError(
            "model.attention.type hard is trained by one process alone: its baseline is a mean over all batches in "
            "turn; start it without torchrun, or choose another attention"
        )
    cells = (recipe.model.encoder.cell, recipe.model.decoder.cell)
    dtype, reason = chosen_precision(recipe.training.precision, device, cells=cells)
    if reason is not None:
        display.message(reason)
    precision = Precision(dtype=dtype, device=device)
    if recipe.run.threads is not None:
        torch.set_num_threads(recipe.run.threads)
    if device.type == "cpu":
        keep_freed_memory()
        bound_kernel_cache()
    source_tokenizer, target_tokenizer = world.first(lambda: _tokenizers(recipe, directory, display))
    interrupt.check(*world.agree(interrupt.number))
    corpora = world.in_turn(
        lambda: prepare_corpora(
            recipe,
            source_tokenizer=source_tokenizer,
            target_tokenizer=target_tokenizer,
            batch_multiple=8,
            pin_memory=device.type == "cuda",
            say=display.message,
        )
    )
    interrupt.check(*world.agree(interrupt.number))
    trainer = assemble(
        recipe,
        directory,
        display,
        interrupt,
        precision=precision,
        tokenizers=(source_tokenizer, target_tokenizer),
        corpora=corpora,
        limits=limits,
        world=world,
    )
    progress = trainer.progress
    try:
        if not progress.finished:
            progress.seconds += time.monotonic() - began if progress.update == 0 else 0.0
            trainer.run()
            trainer.journal.write(
                "end", progress.update, {"reason": progress.finished, "seconds": round(progress.seconds, 1)}
            )
    finally:
        trainer.journal.close()
    assert progress.best is not None
    metric = recipe.training.validation.metric
    display.message(
        f"finished after {progress.finished}: {progress.update} updates in {duration(progress.seconds)}, "
        f"best {metric} {progress.best:.3f} after update {progress.best_update}; the model is {directory.path}"
    )
    tests: tuple[Evaluated, ...] = ()
    if recipe.evaluation.after_training and recipe.corpus.test and limits.updates is None:
        tests = world.first(lambda: _test(recipe, directory, interrupt, world))
    if world.leads:
        make_report(directory.path, say=display.message)
    return TrainingResult(
        directory.path, metric, progress.best, progress.best_update, progress.update, progress.seconds, tests
    )


def _test(recipe: Recipe, directory: RunDirectory, interrupt: Interrupt, world: World) -> tuple[Evaluated, ...]:
    """Score the best model on the test corpora, and keep the scores beside it as `evaluation.json`."""
    translator = Translator.load(directory.path, device=str(world.device))
    tests = tuple(evaluate_test_sets(translator, recipe, watch=lambda _: interrupt.check()))
    scores = json.dumps([test.as_dict() for test in tests], indent=2, ensure_ascii=False) + "\n"
    write_atomically(directory.path / "evaluation.json", scores.encode())
    return tests


def _tokenizers(recipe: Recipe, directory: RunDirectory, display: Display) -> tuple[Tokenizer, Tokenizer]:
    """The run's tokenizers: those it was begun with, or new ones, which begin it."""
    if directory.is_begun:
        for change in directory.changes_of(recipe):
            display.message(f"changed since the run was begun: {change}")
        _, source, target = load_description(directory.path)
    else:
        display.message("preparing the tokenizer")
        source, target = first_tokenizers(recipe)
        display.message(
            f"tokenizer: {source.vocabulary_size} pieces"
            + ("" if target is source else f" in the source, {target.vocabulary_size} in the target")
        )
    save_description(directory.path, recipe=recipe, source_tokenizer=source, target_tokenizer=target)
    return source, target
