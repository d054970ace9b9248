"""The `training` section: the loop, the optimizer and its schedule, validation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from seq2seq.recipe.fine_tuning import FineTuning
from seq2seq.recipe.section import (
    CHANGEABLE,
    Contradiction,
    NotNegative,
    Positive,
    Probability,
    Rule,
    Section,
    only_with,
)

OptimizerName = Literal["adam", "adamw", "sgd", "adagrad", "adadelta"]
ScheduleName = Literal["constant", "inverse-sqrt", "plateau", "cosine", "step"]
ClippingName = Literal["norm", "value", "none"]
PrecisionName = Literal["auto", "fp32", "bf16", "fp16"]
MetricName = Literal["loss", "bleu", "chrf"]
CudaGraphsName = Literal["auto", "never"]


class Optimizer(Section):
    """The optimizer."""

    name: OptimizerName = Field(
        default="adam", description="adam and adamw (fused where the machine can), sgd, adagrad, adadelta."
    )
    learning_rate: float = Field(default=0.001, gt=0.0, description="Highest learning rate; the schedule shapes it.")
    betas: tuple[Probability, Probability] = Field(
        default=(0.9, 0.999),
        strict=False,
        description="Decay of the two moments.",
        json_schema_extra=only_with("name", "adam", "adamw"),
    )
    epsilon: float = Field(
        default=1e-8,
        gt=0.0,
        description="Added to the denominator.",
        json_schema_extra=only_with("name", "adam", "adamw", "adagrad", "adadelta"),
    )
    weight_decay: float = Field(
        default=0.0, ge=0.0, description="adamw: decoupled weight decay; otherwise an L2 penalty."
    )
    momentum: Probability = Field(default=0.0, description="Momentum.", json_schema_extra=only_with("name", "sgd"))
    rho: Probability = Field(
        default=0.95, description="Decay of the two means.", json_schema_extra=only_with("name", "adadelta")
    )


class Schedule(Section):
    """How the learning rate changes."""

    name: ScheduleName = Field(
        default="constant",
        description="After the warm-up: constant; inverse-sqrt (falls with the root of the updates); plateau "
        "(multiplied by `factor` when more than `patience` validations bring no progress); cosine (to "
        "`minimum_learning_rate` at the last update: `training.max_updates`, or what `training.epochs` will take); "
        "step (multiplied by `factor` after `step_after` epochs, and again after every `step_every` more).",
    )
    warmup_updates: NotNegative = Field(default=0, description="Updates of linear warm-up from zero.")
    factor: float = Field(
        default=0.5, gt=0.0, lt=1.0, description="Multiplier.", json_schema_extra=only_with("name", "plateau", "step")
    )
    patience: NotNegative = Field(
        default=1,
        description="Validations without progress that are borne.",
        json_schema_extra=only_with("name", "plateau"),
    )
    minimum_learning_rate: float = Field(
        default=0.0,
        ge=0.0,
        description="The learning rate never falls below it.",
        json_schema_extra=only_with("name", "plateau", "cosine", "step"),
    )
    step_after: float = Field(
        default=1.0,
        ge=0.0,
        description="Epochs before the rate falls for the first time.",
        json_schema_extra=only_with("name", "step"),
    )
    step_every: float = Field(
        default=1.0,
        gt=0.0,
        description="Epochs between one fall and the next.",
        json_schema_extra=only_with("name", "step"),
    )


class Clipping(Section):
    """Gradient clipping, after unscaling and before the optimizer."""

    by: ClippingName = Field(
        default="norm", description="norm: scale the whole gradient; value: cut every element; none."
    )
    threshold: float = Field(
        default=1.0,
        gt=0.0,
        description="Largest norm, or largest absolute value.",
        json_schema_extra=only_with("by", "norm", "value"),
    )


def _skips_fit_the_window(recovery: Recovery) -> Iterator[Contradiction]:
    if recovery.skips > recovery.window:
        yield Contradiction(
            ("skips", "window"),
            f"there cannot be {recovery.skips} skips in a window of {recovery.window} updates; make window larger",
        )


class Recovery(Section):
    """What becomes of updates with bad numbers: they are left out, and when there are many, training goes back."""

    rules: ClassVar[tuple[Rule, ...]] = (_skips_fit_the_window,)

    norm_spike: float | None = Field(
        default=100.0,
        gt=1.0,
        description="Leave out an update whose gradient norm is above this many times the running mean of the last "
        "100; null: never. What is infinite or not a number is always left out.",
    )
    loss_spike: float | None = Field(
        default=10.0,
        gt=0.0,
        description="Leave out an update whose loss is more than this many standard deviations above the running mean "
        "of the last 100; a deviation counts as at least a tenth of the mean and 0.3 nats; null: never.",
    )
    skips: Positive = Field(
        default=10,
        description="After so many updates left out among the last `window`, go back to the last good checkpoint, and "
        "on with the text that follows.",
    )
    window: Positive = Field(default=100, description="See `skips`.")
    factor: float = Field(
        default=0.5, gt=0.0, le=1.0, description="Going back multiplies the learning rate by this, from there on."
    )
    rollbacks: NotNegative = Field(
        default=3, description="Go back so many times without a better validation in between, then give up."
    )


class Validation(Section):
    """When and how training looks at the validation corpus."""

    every_updates: Positive | None = Field(
        default=None, description="Validate after this many updates; by default after every epoch."
    )
    metric: MetricName = Field(
        default="bleu", description="What decides which model is best: loss (per token), bleu or chrf."
    )
    patience: Positive | None = Field(
        default=None,
        description="Stop after this many validations without a better `metric`; by default never.",
        json_schema_extra=CHANGEABLE,
    )
    beam: Positive = Field(default=1, description="Beam of the decoding that bleu and chrf are taken from.")
    sentences: Positive | None = Field(default=None, description="Decode only the first sentences; by default all.")
    samples: NotNegative = Field(
        default=4,
        description="Sentences, spread over lengths, whose translations and attention every validation puts into the "
        "run's `samples/` and TensorBoard.",
        json_schema_extra=CHANGEABLE,
    )


class Keep(Section):
    """Weights of validations that are kept beside the best, for `seq2seq-average`."""

    last: NotNegative = Field(
        default=0, description="Keep the weights of so many last validations.", json_schema_extra=CHANGEABLE
    )
    best: NotNegative = Field(
        default=0,
        description="Keep the weights of so many validations that are best by `training.validation.metric`.",
        json_schema_extra=CHANGEABLE,
    )


def _warmup_ends(training: Training) -> Iterator[Contradiction]:
    warmup, last = training.schedule.warmup_updates, training.max_updates
    if last is not None and warmup > last:
        yield Contradiction(
            ("schedule.warmup_updates", "max_updates"),
            f"the warm-up of {warmup} updates is longer than the training, max_updates {last}; shorten it, or train "
            "longer",
        )


def _cosine_has_updates(training: Training) -> Iterator[Contradiction]:
    warmup, last = training.schedule.warmup_updates, training.max_updates
    if training.schedule.name == "cosine" and last is not None and warmup == last:
        yield Contradiction(
            ("schedule.warmup_updates", "max_updates"),
            f"the warm-up takes all of max_updates {last} and leaves nothing to cosine; shorten it, or train longer",
        )


def _room_to_fall(training: Training) -> Iterator[Contradiction]:
    lowest, highest = training.schedule.minimum_learning_rate, training.optimizer.learning_rate
    if training.schedule.name in ("plateau", "cosine", "step") and lowest >= highest:
        yield Contradiction(
            ("schedule.minimum_learning_rate", "optimizer.learning_rate"),
            f"minimum_learning_rate {lowest:g} is not below optimizer.learning_rate {highest:g}, so "
            f"{training.schedule.name} has nothing to do; lower it",
        )


def _the_first_step_is_reached(training: Training) -> Iterator[Contradiction]:
    after = training.schedule.step_after
    if training.schedule.name == "step" and after >= training.epochs:
        yield Contradiction(
            ("schedule.step_after", "epochs"),
            f"the learning rate first falls after {after:g} epochs, but training ends after {training.epochs}; make "
            "step_after smaller, or train longer",
        )


def _plateau_comes_before_the_stop(training: Training) -> Iterator[Contradiction]:
    borne, stop = training.schedule.patience, training.validation.patience
    if training.schedule.name == "plateau" and stop is not None and stop <= borne:
        yield Contradiction(
            ("validation.patience", "schedule.patience"),
            f"training stops after {stop} validations without progress, before plateau, with patience {borne}, ever "
            "lowers the learning rate; make validation.patience larger than schedule.patience",
        )


class Training(Section):
    """The training loop."""

    rules: ClassVar[tuple[Rule, ...]] = (
        _warmup_ends,
        _cosine_has_updates,
        _room_to_fall,
        _the_first_step_is_reached,
        _plateau_comes_before_the_stop,
    )

    epochs: Positive = Field(
        default=20, description="Passes over the training corpus, at most.", json_schema_extra=CHANGEABLE
    )
    max_updates: Positive | None = Field(
        default=None, description="Updates, at most; by default as many as `epochs` has.", json_schema_extra=CHANGEABLE
    )
    batch: Positive | Literal["auto"] = Field(
        default=4096,
        description="Pieces of a batch, padding included, on the side that has more; auto: as many as the memory "
        "takes and learning gains from, found once when the run begins.",
    )
    accumulation: Positive = Field(
        default=1,
        description="Batches whose gradients make one update, in each process where several train together; the loss "
        "is a mean over all their tokens.",
        json_schema_extra=CHANGEABLE,
    )
    shuffle_window: Positive = Field(default=1_000_000, description="Pairs that are sorted by length together.")
    precision: PrecisionName = Field(
        default="auto",
        description="auto: bf16 where the hardware has it, else fp16 on a GPU, else fp32. Weights stay fp32.",
    )
    cuda_graphs: CudaGraphsName = Field(
        default="never",
        description="auto: on a GPU, updates of a small network are recorded once for every shape of batch and "
        "replayed, and batches are cut for few shapes, on any device; never. docs/training.md says what cannot be "
        "recorded.",
    )
    label_smoothing: Probability = Field(
        default=0.0, description="Share of the target's probability that is spread over the vocabulary."
    )
    consistency: float = Field(
        default=0.0,
        ge=0.0,
        description="Weight of the divergence between two predictions of a batch under different dropout (R-Drop; 1 is "
        "the paper's alpha of 1); an update then costs twice as much.",
    )
    exponential_smoothing: Probability = Field(
        default=0.0,
        description="Decay of the running mean of the weights that is validated and kept; 0 uses the weights "
        "themselves.",
    )
    optimizer: Optimizer = Field(default=Optimizer(), description="The optimizer and its settings.")
    schedule: Schedule = Field(default=Schedule(), description="The learning rate's schedule.")
    clipping: Clipping = Field(default=Clipping(), description="Gradient clipping.")
    recovery: Recovery = Field(
        default=Recovery(),
        description="Bad numbers: updates that are left out, and the way back.",
        json_schema_extra=CHANGEABLE,
    )
    validation: Validation = Field(default=Validation(), description="Validation.")
    checkpoint_minutes: float = Field(
        default=5.0,
        gt=0.0,
        description="Also save the state for resuming after this many minutes.",
        json_schema_extra=CHANGEABLE,
    )
    keep: Keep = Field(default=Keep(), description="Weights that are kept beside the best.")
    fine_tuning: FineTuning | None = Field(
        default=None, description="The trained model to start from; fresh weights without it."
    )
