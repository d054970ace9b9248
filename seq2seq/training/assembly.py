"""A training put together: from a recipe, tokenizers and corpora to a Trainer, new or where the checkpoint left off."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch

from seq2seq.build import build_model
from seq2seq.machine import describe_machine
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recipe import Recipe
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.average import RunningMean
from seq2seq.training.batch_size import find_batch_size
from seq2seq.training.checkpoint import load_checkpoint
from seq2seq.training.continuation import check_continuation, check_same_start, note_group
from seq2seq.training.corpora import Corpora
from seq2seq.training.distributed import World
from seq2seq.training.fine_tuning import begin
from seq2seq.training.follower import NoJournal
from seq2seq.training.graphs import recorder_for
from seq2seq.training.interrupt import Interrupt
from seq2seq.training.journal import Display, Journal
from seq2seq.training.kept import Keeper
from seq2seq.training.objective import Objective
from seq2seq.training.observer import Observer
from seq2seq.training.optimizer import make_optimizer
from seq2seq.training.precision import Precision
from seq2seq.training.progress import Progress
from seq2seq.training.recovery import Recovery
from seq2seq.training.reinforce import Reinforce
from seq2seq.training.run_directory import RunDirectory
from seq2seq.training.schedule import Schedule
from seq2seq.training.spikes import SpikeWatch
from seq2seq.training.trainer import Trainer
from seq2seq.training.validation import Validator
from seq2seq.translator import TranslationOptions


@dataclass(frozen=True)
class Limits:
    """Limits of a trial that are no part of its recipe."""

    updates: int | None
    validation_sentences: int | None


def assemble(
    recipe: Recipe,
    directory: RunDirectory,
    display: Display,
    interrupt: Interrupt,
    *,
    precision: Precision,
    tokenizers: tuple[Tokenizer, Tokenizer],
    corpora: Corpora,
    limits: Limits,
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
    objective = _objective(recipe, source_tokenizer, target_tokenizer, precision.device)
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
            reinforce=objective.reinforce,
            watch=watch,
        )
        check_continuation(progress, corpora, directory, display, recipe)
    check_same_start(world, directory, corpora, progress.update if resumed else None)
    note_group(progress, training.accumulation * world.size, display)
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
        figures = {
            "parameters": parameters,
            "vocabularies": [source_tokenizer.vocabulary_size, target_tokenizer.vocabulary_size],
            "corpora": corpora.sizes,
            "seconds": round(progress.seconds, 1),
            "batch": progress.batch_tokens,
            "device": str(precision.device),
            "precision": precision.name,
            **describe_machine(precision.device),
            "processes": world.size,
        }
        journal.write("resume" if resumed else "start", progress.update, figures)
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
        recorder=recorder_for(
            training,
            attention=recipe.model.attention.type,
            device=precision.device,
            parameters=parameters,
            processes=world.size,
            say=display.message,
        ),
    )


def _objective(
    recipe: Recipe, source_tokenizer: Tokenizer, target_tokenizer: Tokenizer, device: torch.device
) -> Objective:
    training, attention = recipe.training, recipe.model.attention
    reinforce = None
    if attention.type == "hard":
        reinforce = Reinforce(
            reward_weight=attention.reward_weight, entropy_weight=attention.entropy_weight, device=device
        )
    return Objective(label_smoothing=training.label_smoothing, consistency=training.consistency, reinforce=reinforce)


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
