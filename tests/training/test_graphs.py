"""Updates by recordings against plain ones: the same weights from batches of many shapes, whatever changes between."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq.build import build_model
from seq2seq.data.batch import Batch, make_batch
from seq2seq.data.loader import Share
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recipe import Model, Training
from seq2seq.recording import CudaRecorder
from seq2seq.training import graphs
from seq2seq.training.graphs import GraphedUpdates, Shape, StaticBatch, UpdateStep, obstacle, padded_shape
from seq2seq.training.objective import Objective
from seq2seq.training.optimizer import OptimizerName, make_optimizer
from seq2seq.training.precision import Precision
from seq2seq.training.spikes import SpikeWatch, Verdict
from seq2seq.training.splitting import Splitter
from seq2seq.training.step import StepReport, train_step
from tests.tape import TapeRecorder

CPU = torch.device("cpu")
MakeModel = Callable[..., EncoderDecoder]


@pytest.fixture
def make_model(fill: Callable[..., Any]) -> MakeModel:
    """A function that makes a network, of one layer unless told, with weights by formula."""

    def make(
        *, cell: str = "lstm", dropout: float = 0.0, directions: str = "bidirectional", layers: int = 1, **others: Any
    ) -> EncoderDecoder:
        stack = {"hidden_size": 6, "embedding_size": 5, "layers": layers, "cell": cell, "dropout": dropout}
        attention = {"type": "general", "context": "output"}
        description = {"encoder": stack | {"directions": directions}, "decoder": stack, "attention": attention} | others
        model: EncoderDecoder = fill(
            build_model(Model.model_validate(description), source_vocabulary=11, target_vocabulary=11)
        )
        return model

    return make


#: Lengths of the pairs of some batches, pieces without EOS: four shapes, most of them more than twice.
BATCHES = [
    [(2, 3), (1, 2), (3, 1)],
    [(6, 5), (2, 6)],
    [(3, 3), (1, 1), (2, 2)],
    [(5, 2), (7, 3), (6, 1)],
    [(6, 6), (1, 4), (5, 5)],
    [(3, 2)],
    [(1, 3), (3, 3), (2, 1)],
    [(7, 7), (4, 4)],
    [(10, 4), (9, 6)],
    [(6, 3), (4, 2)],
    [(7, 1)],
    [(1, 1)],
]
BATCH_TOKENS = 24
#: Rates that float32 has exactly.
RATES = [2.0**-power for power in (5, 6, 7, 5, 6, 4, 5, 6, 5, 7, 6, 5)]


def batch_of(lengths: Sequence[tuple[int, int]]) -> Batch:
    sides = [[[3 + (7 * row + 5 * place) % 8 for place in range(length[side])] for row, length in enumerate(lengths)]
             for side in (0, 1)]  # fmt: skip
    return make_batch(sides[0], sides[1], source_eos_id=2, source_pad_id=0, bos_id=1, eos_id=2, pad_id=0)


class Run:
    """A network in training, without recordings or with."""

    def __init__(
        self,
        model: EncoderDecoder,
        *,
        recorder: TapeRecorder | None,
        optimizer: OptimizerName = "adam",
        objective: Objective | None = None,
    ) -> None:
        self.model = copy.deepcopy(model).double().train()
        self.optimizer = make_optimizer(
            self.model.parameters(), name=optimizer, learning_rate=0.5, betas=(0.9, 0.98), epsilon=1e-6,
            weight_decay=0.01, momentum=0.5, rho=0.95,
        )  # fmt: skip
        self.watch = SpikeWatch(norm=20.0, loss=6.0, device=CPU)
        self.step: UpdateStep = partial(
            train_step,
            self.model,
            objective=objective or Objective(label_smoothing=0.1),
            optimizer=self.optimizer,
            precision=Precision(dtype=torch.float32, device=CPU),
            clip_by="norm",
            clip_threshold=0.3,
            watch=self.watch,
            splitter=Splitter(device=CPU, say=pytest.fail),
        )
        self.said: list[str] = []
        self.reports: list[StepReport] = []
        if recorder is not None:
            self.step = GraphedUpdates(
                self.step, optimizer=self.optimizer, recorder=recorder, device=CPU, batch_tokens=BATCH_TOKENS,
                say=self.said.append,
            )  # fmt: skip

    def train(self, batches: Sequence[Sequence[tuple[int, int]]] = BATCHES) -> None:
        for lengths, rate in zip(batches, RATES, strict=False):
            self.reports.append(self.step([batch_of(lengths)], learning_rate=rate))


@pytest.fixture(autouse=True)
def _as_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be read from the device in an update."""
    monkeypatch.setattr(Precision, "asynchronous", True)


def assert_same(run: Run, plain: Run) -> None:
    for (name, parameter), other in zip(run.model.named_parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(parameter, other, rtol=0, atol=1e-11, msg=lambda text, name=name: f"{name}: {text}")
    torch.testing.assert_close(run.watch.state(), plain.watch.state(), rtol=1e-6, atol=0)
    for ours, theirs in zip(run.reports, plain.reports, strict=True):
        assert int(ours.verdict) == int(theirs.verdict)
        assert (ours.source_tokens, ours.target_tokens) == (theirs.source_tokens, theirs.target_tokens)
        for field in ("loss", "likelihood", "gradient_norm"):
            torch.testing.assert_close(getattr(ours, field), getattr(theirs, field), rtol=1e-11, atol=0)


WIRINGS: list[dict[str, Any]] = [
    {"attention": {"type": "general", "context": "output"}},
    {"attention": {"type": "additive", "context": "input-feeding"}, "cell": "gru"},
    {
        "attention": {"type": "multihead", "context": "upper-layers", "heads": 2, "size": 4},
        "layers": 2,
        "cell": "lstm-layer-norm",
    },
    {"attention": {"type": "coverage", "context": "output", "size": 4}, "cell": "minlstm"},
    {"attention": {"type": "local-p", "context": "conditional", "size": 4}, "cell": "elman-tanh"},
    {"attention": {"type": "location", "context": "previous-state", "size": 4}},
    {"attention": {"type": "none", "context": "none"}, "bridge": "final-state", "directions": "forward"},
    {
        "attention": {"type": "summary", "context": "previous-state"},
        "bridge": "mean-pooled",
        "cell": "gru",
        "directions": "forward",
    },
    {"attention": {"type": "additive", "context": "output"}, "generator": "copy", "tying": "all"},
]


def name_of(wiring: dict[str, Any]) -> str:
    return f"{wiring['attention']['type']}-{wiring['attention']['context']}-{wiring.get('cell', 'lstm')}"


@pytest.mark.parametrize("wiring", WIRINGS, ids=name_of)
def test_recordings_train_the_same_network(wiring: dict[str, Any], make_model: MakeModel) -> None:
    """Padding and left-over rows leave no trace in loss, gradient, attention or states."""
    model, recorder = make_model(**wiring), TapeRecorder()
    run, plain = Run(model, recorder=recorder), Run(model, recorder=None)
    run.train()
    plain.train()
    assert (recorder.warmed, recorder.recorded, recorder.replayed) == (4, 3, 8)
    assert_same(run, plain)
    assert run.said == []


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_other_optimizers(optimizer: OptimizerName, make_model: MakeModel) -> None:
    model = make_model()
    run, plain = (Run(model, recorder=recorder, optimizer=optimizer) for recorder in (TapeRecorder(), None))
    run.train()
    plain.train()
    assert_same(run, plain)


def test_two_predictions_of_a_batch(make_model: MakeModel) -> None:
    model = make_model()
    objective = Objective(label_smoothing=0.1, consistency=2.0)
    run, plain = (Run(model, recorder=recorder, objective=objective) for recorder in (TapeRecorder(), None))
    run.train()
    plain.train()
    assert_same(run, plain)


def test_dropout_is_drawn_anew_at_every_replay(make_model: MakeModel) -> None:
    run = Run(make_model(dropout=0.4), recorder=TapeRecorder())
    for _ in range(5):
        run.reports.append(run.step([batch_of(BATCHES[0])], learning_rate=0.0))
    assert len({float(report.loss) for report in run.reports}) == 5


def test_dropout_follows_the_seeds_of_the_batches(make_model: MakeModel) -> None:
    """The same seed, the same noise: in the update that warms up and in replays; another seed, another noise."""
    run = Run(make_model(dropout=0.4), recorder=TapeRecorder())
    batch, losses = batch_of(BATCHES[0]), []
    for seed in (3, 4, 3, 4, 5):
        share = Share(batches=[batch], seeds=[seed], group=1, target_tokens=9, source_tokens=9)
        losses.append(float(run.step([batch], learning_rate=0.0, share=share).loss))
    assert losses[:2] == losses[2:4]
    assert len(set(losses)) == 3


def test_a_bad_update_is_left_out_by_a_replay(make_model: MakeModel) -> None:
    """The verdict falls on the device: a replay whose loss is no number leaves weights, optimizer and record alone."""
    run = Run(make_model(), recorder=TapeRecorder())
    run.train([BATCHES[0]] * 4)
    with torch.no_grad():
        run.model.output.bias[3] = float("inf")
    before = copy.deepcopy((run.model.state_dict(), run.optimizer.state_dict()["state"], run.watch.state()))
    report = run.step([batch_of(BATCHES[0])], learning_rate=0.125)
    assert Verdict(int(report.verdict)) is Verdict.NOT_FINITE
    assert not report.applied
    torch.testing.assert_close(
        (run.model.state_dict(), run.optimizer.state_dict()["state"], run.watch.state()), before, rtol=0, atol=0
    )
    assert Verdict(int(run.reports[-1].verdict)) is Verdict.APPLIED


def test_a_checkpoint_is_heeded(make_model: MakeModel) -> None:
    """The state that a checkpoint brings lies elsewhere: recordings of before would change the old one."""
    model, recorder = make_model(), TapeRecorder()
    run, plain = Run(model, recorder=recorder), Run(model, recorder=None)
    for each in (run, plain):
        each.train(BATCHES[:7])
        state = copy.deepcopy(each.optimizer.state_dict())
        each.train(BATCHES[:7])
        each.optimizer.load_state_dict(state)
        each.train(BATCHES[:7])
    assert_same(run, plain)
    assert recorder.recorded == 3 + 2  # three shapes before; two of them come twice afterwards


def test_several_batches_make_a_plain_update(make_model: MakeModel) -> None:
    model, recorder = make_model(), TapeRecorder()
    run, plain = Run(model, recorder=recorder), Run(model, recorder=None)
    for each in (run, plain):
        batches = [batch_of(lengths) for lengths in BATCHES[:2]]
        each.reports += [each.step(batches, learning_rate=0.125) for _ in range(3)]
    assert recorder.warmed == 0
    assert_same(run, plain)


def test_what_cannot_be_recorded_is_trained_on_and_said_once(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a loss that is looked at, as by a check that somebody adds."""
    model = make_model()
    recorder = TapeRecorder()
    run, plain = Run(model, recorder=recorder), Run(model, recorder=None)
    monkeypatch.setattr(Precision, "asynchronous", False)
    run.train()
    plain.train()
    assert_same(run, plain)
    assert recorder.replayed == 0
    assert run.said == [
        "note: an update could not be recorded as a CUDA graph and is made without: aten::_local_scalar_dense waits "
        "for the device"
    ]


def test_no_more_shapes_than_the_bound(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "_MOST_SHAPES", 2)
    model, recorder = make_model(), TapeRecorder()
    run, plain = Run(model, recorder=recorder), Run(model, recorder=None)
    run.train()
    plain.train()
    assert (recorder.warmed, recorder.recorded) == (2, 2)
    assert_same(run, plain)


def test_the_optimizer_is_told_of_a_recording_alone(make_model: MakeModel) -> None:
    told: list[bool] = []

    class Watching(TapeRecorder):
        def warm_up(self, work: Callable[[], StepReport]) -> StepReport:
            told.append(run.optimizer.param_groups[0]["capturable"])
            return super().warm_up(work)

        def record(self, work: Callable[[], StepReport]) -> Callable[[], StepReport]:
            told.append(run.optimizer.param_groups[0]["capturable"])
            return super().record(work)

    run = Run(make_model(), recorder=Watching())
    run.train([BATCHES[0]] * 3)
    assert told == [False, True]
    assert run.optimizer.param_groups[0]["capturable"] is False


def test_shapes_by_hand() -> None:
    # A full batch of 8 pieces has 24 / 8 = 3 rows; EOS counts, so 7 pieces are 8 and 8 are padded to 12.
    assert padded_shape(batch_of([(7, 2)]), batch_tokens=24) == Shape(3, 8, 4)
    assert padded_shape(batch_of([(3, 8)]), batch_tokens=24) == Shape(2, 4, 12)
    # 100 / 4 = 25 rows are rounded down to 24, as the loader rounds them.
    assert padded_shape(batch_of([(3, 3)]), batch_tokens=100) == Shape(24, 4, 4)
    # What is larger than a batch may be keeps its size.
    assert padded_shape(batch_of([(9, 9)] * 5), batch_tokens=24) == Shape(5, 12, 12)


def test_a_static_batch_by_hand() -> None:
    static = StaticBatch(Shape(3, 4, 4), CPU)
    memory = static.batch.source.data_ptr()
    for lengths in ([(3, 3), (1, 2), (2, 1)], [(2, 1), (1, 2)]):
        static.fill(batch_of(lengths))
    batch = static.batch
    assert batch.source.tolist() == [[3, 8, 2, 0], [10, 2, 0, 0], [0, 0, 0, 0]]
    assert batch.target_in.tolist() == [[1, 3, 0, 0], [1, 10, 7, 0], [0, 0, 0, 0]]
    assert batch.target_out.tolist() == [[3, 2, 0, 0], [10, 7, 2, 0], [0, 0, 0, 0]]
    assert batch.source_lengths.tolist() == [3, 2, 1]
    assert batch.target_lengths.tolist() == [2, 3, 0]
    assert int(static.target_tokens) == 5
    assert batch.source.data_ptr() == memory
    assert batch.target_mask.sum() == 5


def _obstacle(
    device: str = "cuda", attention: str = "dot", parameters: int = 10_000, processes: int = 1, **changes: Any
) -> str | None:
    training = Training.model_validate({"cuda_graphs": "auto"} | changes)
    return obstacle(
        training, attention=attention, device=torch.device(device), parameters=parameters, processes=processes
    )  # type: ignore[arg-type]


def test_obstacles() -> None:
    assert _obstacle() is None
    assert _obstacle(optimizer={"name": "sgd"}) is None
    for found, word in (
        (_obstacle(device="cpu"), "no GPU"),
        (_obstacle(parameters=60_000_000), "60,000,000 parameters"),
        (_obstacle(processes=2), "several processes"),
        (_obstacle(accumulation=2), "several batches"),
        (_obstacle(attention="hard"), "baseline"),
        (_obstacle(optimizer={"name": "adagrad"}), "adagrad is not fused"),
    ):
        assert found is not None
        assert word in found


def _cuda_run(model: EncoderDecoder, *, recorder: Any, dtype: torch.dtype) -> list[Tensor]:
    device = torch.device("cuda", 0)
    model = copy.deepcopy(model).to(device).train()
    optimizer = make_optimizer(
        model.parameters(), name="adam", learning_rate=0.5, betas=(0.9, 0.98), epsilon=1e-6, weight_decay=0.0,
        momentum=0.0, rho=0.95,
    )  # fmt: skip
    step: UpdateStep = partial(
        train_step, model, objective=Objective(label_smoothing=0.1), optimizer=optimizer,
        precision=Precision(dtype=dtype, device=device), clip_by="norm", clip_threshold=0.3,
    )  # fmt: skip
    if recorder is not None:
        step = GraphedUpdates(
            step, optimizer=optimizer, recorder=recorder, device=device, batch_tokens=BATCH_TOKENS, say=pytest.fail
        )
    losses = []
    for _ in range(3):
        for lengths, rate in zip(BATCHES, RATES, strict=True):
            losses.append(step([batch_of(lengths)], learning_rate=rate).loss)
    return losses


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("wiring", WIRINGS, ids=name_of)
def test_on_a_gpu(wiring: dict[str, Any], dtype: torch.dtype, make_model: MakeModel) -> None:
    model = make_model(**wiring)
    losses = _cuda_run(model, recorder=CudaRecorder(torch.device("cuda", 0)), dtype=dtype)
    expected = _cuda_run(model, recorder=None, dtype=dtype)
    within = 1e-3 if dtype is torch.float32 else 0.05
    torch.testing.assert_close(torch.stack(losses), torch.stack(expected), rtol=within, atol=within)
