"""A whole run: from a recipe to a trained, evaluated model directory; continued if it was begun before."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from seq2seq.build import build_model
from seq2seq.errors import TrainingError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_directory import load_description, save_description
from seq2seq.model_evaluation import Evaluated, evaluate_test_sets
from seq2seq.recipe import Recipe, Training, starting_directory, with_adopted_tokenizer
from seq2seq.storage import write_atomically
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.allocator import bound_kernel_cache, keep_freed_memory
from seq2seq.training.average import RunningMean
from seq2seq.training.batch_size import find_batch_size
from seq2seq.training.checkpoint import load_checkpoint
from seq2seq.training.continuation import check_same_start, note_group
from seq2seq.training.corpora import Corpora, prepare_corpora
from seq2seq.training.distributed import World
from seq2seq.training.fine_tuning import begin, first_tokenizers
from seq2seq.training.follower import NoDisplay, NoJournal
from seq2seq.training.interrupt import Interrupt
from seq2seq.training.journal import Display, Journal, duration, make_display
from seq2seq.training.kept import Keeper
from seq2seq.training.machine import describe_machine
from seq2seq.training.minimum_risk import MinimumRisk
from seq2seq.training.objective import Objective
from seq2seq.training.observer import Observer
from seq2seq.training.optimizer import make_optimizer
from seq2seq.training.precision import Precision, chosen_precision
from seq2seq.training.progress import Progress
from seq2seq.training.recovery import Recovery
from seq2seq.training.reinforce import Reinforce
from seq2seq.training.report import make_report
from seq2seq.training.run_directory import RunDirectory
from seq2seq.training.schedule import Schedule
from seq2seq.training.spikes import SpikeWatch
from seq2seq.training.trainer import Trainer
from seq2seq.training.validation import Validator
from seq2seq.translator import TranslationOptions, Translator


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
    limits = _Limits(stop_after, validation_sentences)
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


@dataclass(frozen=True)
class _Limits:
    """Limits of a trial that are no part of its recipe."""

    updates: int | None
    validation_sentences: int | None


def _train(
    recipe: Recipe, directory: RunDirectory, display: Display, interrupt: Interrupt, limits: _Limits, world: World
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
    trainer = _trainer(
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
            fine_tuned = recipe.training.fine_tuning is not None
            if fine_tuned and world.first(lambda: not directory.checkpoint.is_file()):
                trainer.save()  # from here on the old model is not needed
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


def _trainer(
    recipe: Recipe,
    directory: RunDirectory,
    display: Display,
    interrupt: Interrupt,
    *,
    precision: Precision,
    tokenizers: tuple[Tokenizer, Tokenizer],
    corpora: Corpora,
    limits: _Limits,
    world: World,
) -> Trainer:
    """Everything put together, at the start or where the checkpoint left off."""
    training = recipe.training
    source_tokenizer, target_tokenizer = tokenizers
    torch.manual_seed(recipe.run.seed)
    model = build_model(
        recipe.model,
        source_vocabulary=source_tokenizer.vocabulary_size,
        target_vocabulary=target_tokenizer.vocabulary_size,
    ).to(precision.device)
    resumed = directory.checkpoint.is_file()
    trained = begin(model, recipe, tokenizers, resumed=resumed, say=display.message)
    optimizer = make_optimizer(trained, **training.optimizer.model_dump())
    mean = None
    if training.exponential_smoothing and world.leads:
        mean = RunningMean(model, decay=training.exponential_smoothing)
    attention = recipe.model.attention
    reinforce = None
    if attention.type == "hard":
        reinforce = Reinforce(
            reward_weight=attention.reward_weight, entropy_weight=attention.entropy_weight, device=precision.device
        )
    progress = Progress(corpus=corpora.key, threads=torch.get_num_threads())
    recovering = training.recovery
    watch = SpikeWatch(norm=recovering.norm_spike, loss=recovering.loss_spike, device=precision.device)
    if resumed:
        progress = load_checkpoint(
            directory.checkpoint,
            model=model,
            optimizer=optimizer,
            mean=mean,
            precision=precision,
            reinforce=reinforce,
            watch=watch,
        )
        _check_continuation(progress, corpora, directory, display, recipe)
    check_same_start(world, directory, corpora, progress.update if resumed else None)
    note_group(progress, training.accumulation * world.size, display)
    objective = _objective(training, reinforce, source_tokenizer, target_tokenizer)
    corpora = _in_batches(recipe, corpora, progress, model, objective, precision, display, world)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    display.message(
        f"model: {parameters:,} parameters; {precision.device}, {precision.name}"
        + (f", {world.size} processes" if world.size > 1 else "")
        + (f", {torch.get_num_threads()} threads" if precision.device.type == "cpu" else "")
        + (f"; continuing after update {progress.update}" if resumed else "")
    )
    written = None
    if world.leads:
        written = Journal(
            directory.path,
            keep_bytes=progress.journal_bytes,
            update=progress.update,
            tensorboard=recipe.run.tensorboard,
        )
    journal = written or NoJournal()
    if not progress.finished:
        journal.write(
            "resume" if resumed else "start",
            progress.update,
            {
                "parameters": parameters,
                "vocabularies": [source_tokenizer.vocabulary_size, target_tokenizer.vocabulary_size],
                "corpora": corpora.sizes,
                "seconds": round(progress.seconds, 1),
                "batch": progress.batch_tokens,
                "device": str(precision.device),
                "precision": precision.name,
                **describe_machine(precision.device),
                "processes": world.size,
            },
        )
    options = replace(TranslationOptions.from_recipe(recipe.search), beam=training.validation.beam)
    sources = corpora.validation_sources[: limits.validation_sentences]
    references = corpora.validation_references[: limits.validation_sentences]
    validator = Validator(
        batches=corpora.validation,
        sources=sources,
        references=references,
        source_tokenizer=source_tokenizer,
        target_tokenizer=target_tokenizer,
        options=options,
        precision=precision,
        evaluation=recipe.evaluation,
        directory=directory.path,
    )
    observer = None
    if written is not None:
        observer = Observer(
            directory.path,
            recipe=recipe,
            validator=validator,
            sources=sources,
            references=references,
            tokenizer=source_tokenizer,
            journal=written,
            say=display.message,
        )
    keeper = Keeper(
        directory.training,
        **training.keep.model_dump(),
        metric=training.validation.metric,
        source_tokenizer=source_tokenizer,
        target_tokenizer=target_tokenizer,
    )
    if world.leads:
        keeper.forget_after(progress.update)
    return Trainer(
        model=model,
        objective=objective,
        served=model if mean is None else copy.deepcopy(model),
        mean=mean,
        loader=corpora.loader,
        validator=validator,
        keeper=keeper,
        optimizer=optimizer,
        schedule=_schedule(recipe, corpora, group=progress.group),
        precision=precision,
        training=training,
        progress=progress,
        recovery=Recovery(
            watch=watch,
            progress=progress,
            skips=recovering.skips,
            window=recovering.window,
            factor=recovering.factor,
            rollbacks=recovering.rollbacks,
        ),
        journal=journal,
        display=display,
        interrupt=interrupt,
        world=world,
        checkpoint=directory.checkpoint,
        log_seconds=recipe.run.log_seconds,
        stop_after=limits.updates,
        observe=observer,
    )


def _objective(
    training: Training, reinforce: Reinforce | None, source_tokenizer: Tokenizer, target_tokenizer: Tokenizer
) -> Objective:
    section, risk = training.minimum_risk, None
    if section.weight:
        risk = MinimumRisk(**section.model_dump(), source_tokenizer=source_tokenizer, target_tokenizer=target_tokenizer)
    return Objective(
        label_smoothing=training.label_smoothing, consistency=training.consistency, risk=risk, reinforce=reinforce
    )


def _in_batches(
    recipe: Recipe,
    corpora: Corpora,
    progress: Progress,
    model: EncoderDecoder,
    objective: Objective,
    precision: Precision,
    display: Display,
    world: World,
) -> Corpora:
    """The corpora in batches of the recipe's size; `auto` is decided once, and kept with the progress."""
    training = recipe.training
    if training.batch != "auto":
        progress.batch_tokens = training.batch
        return corpora
    if not progress.batch_tokens:
        found = world.first(
            lambda: find_batch_size(
                model,
                corpora.loader,
                objective=objective,
                make_optimizer=lambda copied: make_optimizer(copied.parameters(), **training.optimizer.model_dump()),
                precision=precision,
                accumulation=training.accumulation * world.size,
                processes=world.size,
            )
        )
        progress.batch_tokens = found.tokens
        display.message(f"training.batch auto: batches of {found.tokens:,} pieces, {found.bound}")
    return corpora.resized(progress.batch_tokens)


def _check_continuation(
    progress: Progress, corpora: Corpora, directory: RunDirectory, display: Display, recipe: Recipe
) -> None:
    """Make sure that what is continued is the same training, and reopen one that may now go further."""
    if progress.corpus != corpora.key:
        raise TrainingError(
            f"{directory.path}: the training text has changed since this run was begun, so it cannot be continued "
            "exactly; put the old text back, or start over with --fresh"
        )
    if progress.threads != torch.get_num_threads():
        display.message(
            f"note: the run was begun with {progress.threads} threads and goes on with {torch.get_num_threads()}; "
            "its sums are rounded differently from here on (run.threads sets them)"
        )
    training = recipe.training
    reached = progress.epoch >= training.epochs
    if training.max_updates is not None:
        reached = reached or progress.update >= training.max_updates
    patience = training.validation.patience
    exhausted = patience is not None and progress.without_progress >= patience
    if progress.finished and not reached and not exhausted:
        progress.finished = ""


def _schedule(recipe: Recipe, corpora: Corpora, *, group: int) -> Schedule:
    """The schedule, where updates take `group` batches each."""
    section, training = recipe.training.schedule, recipe.training
    per_epoch = -(-corpora.loader.estimated_batches // group)
    total = per_epoch * training.epochs
    return Schedule(
        name=section.name,
        learning_rate=training.optimizer.learning_rate,
        warmup_updates=section.warmup_updates,
        minimum=section.minimum_learning_rate,
        factor=section.factor,
        patience=section.patience,
        total_updates=total if training.max_updates is None else min(total, training.max_updates),
        step_after=section.step_after * per_epoch,
        step_every=section.step_every * per_epoch,
    )
