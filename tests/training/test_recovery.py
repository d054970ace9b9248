"""Trainings whose numbers go bad: what is left out, the way back, and that nothing bad is written over good."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
import torch

from seq2seq.errors import TrainingError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_directory import read_weights
from seq2seq.recipe import recipe_from_text
from seq2seq.training import step
from seq2seq.training.average import RunningMean
from seq2seq.training.interrupt import Interrupt, Interrupted
from seq2seq.training.precision import Precision, clip_gradients
from seq2seq.training.progress import Progress
from seq2seq.training.recovery import Recovery, all_finite
from seq2seq.training.run import train
from seq2seq.training.spikes import SpikeWatch, Verdict
from seq2seq.training.trainer import Trainer
from seq2seq.training.validation import Validator
from tests.training.silent import Silent

WORDS = {"one": "un", "two": "deux", "three": "trois", "four": "quatre"}
PAIRS = [course for length in (2, 3, 4) for course in itertools.product(WORDS, repeat=length)]

#: Validations, and with them checkpoints, after every fifth update; nothing is random but what is seeded.
RECIPE = """\
corpus:
  source_language: en
  target_language: fr
  train: [{prefix: train}]
  validation: [{prefix: valid}]
tokenizer: {algorithm: char, vocabulary_size: 30}
model:
  encoder: {cell: gru, hidden_size: 6, embedding_size: 5}
  decoder: {cell: gru, hidden_size: 6, embedding_size: 5, dropout: 0.2}
training:
  epochs: 50
  max_updates: 20
  batch: 256
  precision: fp32
  exponential_smoothing: 0.9
  validation: {every_updates: 5, sentences: 1, metric: loss}
  checkpoint_minutes: 1000
  recovery: {skips: 3, window: 6, rollbacks: 2}
evaluation: {after_training: false}
run: {name: tiny, tensorboard: false, threads: 1, log_seconds: 1000}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, pairs in (("train", PAIRS), ("valid", PAIRS[30:34])):
        for language, words in (("en", {word: word for word in WORDS}), ("fr", WORDS)):
            text = "".join(" ".join(words[word] for word in pair) + "\n" for pair in pairs)
            (tmp_path / f"{name}.{language}").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


Poison = Callable[[Collection[int]], None]


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Poison:
    """A function that makes one number of the gradient, at the updates it is given, no number."""
    current = [0]
    update, clip = Trainer._update, step.clip_gradients
    poisoned: list[Collection[int]] = [()]

    def counted(self: Trainer, group: Any) -> None:
        current[0] = self.progress.update + 1
        update(self, group)

    def clipped(parameters: Any, **settings: Any) -> torch.Tensor:
        parameters = list(parameters)
        if current[0] in poisoned[0]:
            parameters[2].grad.view(-1)[0] = math.nan
        return clip(parameters, **settings)

    monkeypatch.setattr(Trainer, "_update", counted)
    monkeypatch.setattr(step, "clip_gradients", clipped)

    def at(updates: Collection[int]) -> None:
        poisoned[0] = updates

    return at


def run(*overrides: str) -> Silent:
    display = Silent()
    train(recipe_from_text(RECIPE, "recipe.yaml", overrides), display=display)
    return display


def stored(name: str = "tiny") -> dict[str, torch.Tensor]:
    """Everything in the checkpoint."""
    return read_weights(Path("runs") / name / "training" / "checkpoint.safetensors")[0]


def progress(name: str = "tiny") -> Progress:
    return Progress.from_json(read_weights(Path("runs") / name / "training" / "checkpoint.safetensors")[1]["progress"])


def kept(name: str = "tiny") -> tuple[dict[str, torch.Tensor], int]:
    """The weights that translation uses, and the update they are from."""
    weights, metadata = read_weights(Path("runs") / name / "weights.safetensors")
    return weights, int(metadata["update"])


def journal(kind: str, name: str = "tiny") -> list[dict[str, Any]]:
    records = map(json.loads, (Path("runs") / name / "journal.jsonl").read_text("utf-8").splitlines())
    return [record for record in records if record["kind"] == kind]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], *, but: tuple[str, ...] = ()) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name]) and not name.startswith(but)] == []


def sound(tensors: dict[str, torch.Tensor]) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values() if tensor.is_floating_point())


def test_a_few_bad_updates_are_left_out_and_counted(poison: Poison) -> None:
    poison({6, 9})
    display = run("training.max_updates=10")
    assert [record["skipped"] for record in journal("train")] == [0, 2]
    assert all(math.isfinite(record["loss"] + record["gradient_norm"]) for record in journal("train"))
    assert "update 10: 2 updates left out (2 not finite); 2 in all" in display.said
    assert not journal("rollback")
    assert (progress().skipped, progress().skips, progress().rate_scale) == (2, [6, 9], 1.0)
    assert stored()["optimizer.0.step"].item() == 8
    assert sound(stored())
    assert sound(kept()[0])


def test_a_healthy_run_leaves_nothing_out() -> None:
    display = run()
    assert [record["skipped"] for record in journal("train")] == [0] * 4
    assert not [text for text in display.said if "left out" in text or "note:" in text or "in doubt" in text]


def test_three_bad_updates_are_the_way_back(poison: Poison) -> None:
    """At update 9 the run goes back to the weights of update 5, but not back in the text."""
    run("run.name=five", "training.max_updates=5")
    poison({6, 7, 9})
    display = run("training.max_updates=9", "training.validation.every_updates=5")
    said = (
        "update 9: 3 of the last 6 updates were left out, not finite or spikes; going back to the weights of update 5, "
        "and on with the text that follows and 0.5 of the learning rate"
    )
    assert said in display.said
    (record,) = journal("rollback")
    assert (record["update"], record["weights_update"], record["learning_rate"]) == (9, 5, 0.0005)
    same(stored(), stored("five"))  # weights, optimizer, mean, generators, the record of the losses
    now, then = progress(), progress("five")
    assert (now.update, now.weights_update, now.rate_scale, now.rollbacks, now.skips) == (9, 5, 0.5, 1, [])
    assert (now.epoch, now.batch) > (then.epoch, then.batch)


@pytest.mark.parametrize("stop", [8, 9, 12])
def test_resuming_across_the_way_back(stop: int, poison: Poison) -> None:
    poison({6, 7, 8})
    run("run.name=whole", "training.validation.every_updates=5")
    run(f"training.max_updates={stop}")
    run("training.max_updates=20")
    same(stored(), stored("whole"))
    assert progress().rate_scale == progress("whole").rate_scale == 0.5
    assert journal("train")[-1]["learning_rate"] == journal("train", "whole")[-1]["learning_rate"] == 0.0005


def test_it_is_given_up_and_nothing_bad_is_written(poison: Poison) -> None:
    poison(range(6, 1000))
    with pytest.raises(TrainingError) as caught:
        run()
    assert str(caught.value) == (
        "update 14: 3 of the last 6 updates were left out, not finite or spikes, and 2 returns to the last good "
        "weights (update 5), each with a lower learning rate, have not helped; lower "
        "training.optimizer.learning_rate, or use training.precision fp32. The last good checkpoint is untouched"
    )
    assert [(record["update"], record["weights_update"]) for record in journal("rollback")] == [(8, 5), (11, 5)]
    assert kept()[1] == 5
    assert sound(kept()[0])
    assert sound(stored())
    assert progress().update == 11
    # The same command again does no better, and a recipe with more patience goes on from there.
    with pytest.raises(TrainingError, match=r"update 14: .* have not helped"):
        run()
    poison({12, 13, 14})
    display = run("training.recovery.rollbacks=3")
    assert any("0.125 of the learning rate" in text for text in display.said)
    assert progress().finished


def test_from_the_very_beginning(poison: Poison) -> None:
    poison(range(1, 1000))
    with pytest.raises(TrainingError, match=r"update 12: .* \(update 0\)"):  # the first validation, of 5, is the best
        run()
    assert sound(stored())
    assert sound(kept()[0])


def test_a_better_validation_is_progress(poison: Poison) -> None:
    """Four returns, but never more than one without a better validation in between."""
    poison({6, 7, 8, 16, 17, 18, 26, 27, 28, 36, 37, 38})
    run("training.max_updates=45", "training.recovery.rollbacks=1", "training.optimizer.learning_rate=0.02")
    assert len(journal("rollback")) == 4
    assert (progress().rollbacks, progress().setbacks, progress().rate_scale) == (4, 0, 0.0625)


def test_a_validation_that_is_no_number_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    run("run.name=five", "training.max_updates=5")
    validate, calls = Validator.__call__, []

    def broken(self: Validator, model: Any, **settings: Any) -> dict[str, Any]:
        calls.append(None)
        figures = validate(self, model, **settings)
        return figures | {"loss": math.nan} if len(calls) == 2 else figures

    monkeypatch.setattr(Validator, "__call__", broken)
    display = run("training.max_updates=10")
    assert any("update 10: the validation's loss was nan; going back to the weights of update 5" in text
               for text in display.said)  # fmt: skip
    assert [record["best"] for record in journal("validation")] == [True, False, False]  # the last of update 5 again
    assert len(calls) == 3
    assert kept()[1] == 5
    same(kept()[0], kept("five")[0])
    same(stored(), stored("five"))
    assert (progress().best, progress().validations) == (progress("five").best, 2)


def ruin(monkeypatch: pytest.MonkeyPatch, *, after: int, by: float) -> None:
    """Spoil the weights at the end of an update, as too high a learning rate would."""
    update = Trainer._update

    def ruinous(self: Trainer, group: Any) -> None:
        update(self, group)
        if self.progress.update == after:
            with torch.no_grad():
                for parameter in self.model.parameters():
                    parameter.mul_(by)

    monkeypatch.setattr(Trainer, "_update", ruinous)


def test_ruined_weights_are_not_saved_by_a_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are bad but finite; two updates are left out, too few to go back, when the validation comes."""
    ruin(monkeypatch, after=8, by=1000.0)
    display = run("training.max_updates=10", "training.validation.metric=bleu", "training.exponential_smoothing=0.0")
    assert any("update 10: the validation's loss was" in text for text in display.said)
    assert kept()[1] == 5
    assert max(tensor.abs().max().item() for name, tensor in stored().items() if name.startswith("model.")) < 10


def test_infinite_weights_are_not_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    ruin(monkeypatch, after=10, by=math.inf)  # an embedding that nothing reads would not show in the loss
    display = run("training.max_updates=10")
    assert any("update 10: the weights were not finite; going back to the weights of update 5" in text
               for text in display.said)  # fmt: skip
    assert sound(stored())
    assert kept()[1] == 5


def test_an_interrupt_in_the_middle_of_it(poison: Poison, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in doubt is not saved, and the run continues exactly all the same."""
    poison({7, 8})
    run("run.name=whole")
    with monkeypatch.context() as patched:
        update, stop = Trainer._update, [False]

        def stopping(self: Trainer, group: Any) -> None:
            update(self, group)
            stop[0] = self.progress.update == 8

        def check(self: Interrupt, number: int | None = None) -> None:
            if stop[0]:
                raise Interrupted(2)

        patched.setattr(Trainer, "_update", stopping)
        patched.setattr(Interrupt, "check", check)
        display = Silent()
        with pytest.raises(Interrupted):
            train(recipe_from_text(RECIPE, "recipe.yaml"), display=display)
    assert "the weights after update 8 are in doubt and not saved; the last good checkpoint stays" in display.said
    assert progress().update == 5
    run()
    same(stored(), stored("whole"))
    assert progress().skipped == progress("whole").skipped == 2


def test_a_small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of more than five pairs do not fit: the same weights, and every piece is read."""
    settings = ("training.max_updates=5", "model.decoder.dropout=0")
    run(*settings, "run.name=large")
    forward = EncoderDecoder.forward

    def small(self: EncoderDecoder, source: torch.Tensor, *others: Any) -> Any:
        if self.training and source.shape[0] > 5:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(self, source, *others)

    monkeypatch.setattr(EncoderDecoder, "forward", small)
    display = run(*settings)
    assert sum("did not fit into memory and was split" in text for text in display.said) == 1
    assert [record["splits"] for record in journal("train")] == [progress().splits]
    assert progress().splits >= 5
    assert progress().target_tokens == progress("large").target_tokens > 500
    one, other = stored(), stored("large")
    for name in one:
        if name.startswith("model."):
            torch.testing.assert_close(one[name], other[name], rtol=0, atol=1e-4)


# The record


def recovery(**changes: Any) -> tuple[Recovery, Progress]:
    made = Progress()
    settings = {"skips": 3, "window": 5, "factor": 0.5, "rollbacks": 2} | changes
    watch = SpikeWatch(norm=None, loss=10.0, device=torch.device("cpu"))
    return Recovery(watch=watch, progress=made, **settings), made


def take(tested: Recovery, *verdicts: Verdict, first: int = 1) -> None:
    for update, verdict in enumerate(verdicts, first):
        tested.take(update, torch.tensor(int(verdict)))


GOOD, OVERFLOW, NAN, SPIKE = Verdict.APPLIED, Verdict.OVERFLOW, Verdict.NOT_FINITE, Verdict.SPIKE


@pytest.mark.parametrize(
    ("verdicts", "failed"),
    [
        ([NAN, SPIKE], False),
        ([NAN, SPIKE, NAN], True),
        ([NAN, GOOD, SPIKE, GOOD, NAN], True),  # three of five
        ([NAN, GOOD, SPIKE, GOOD, GOOD, NAN], False),  # three of six
        ([OVERFLOW] * 24, False),
        ([OVERFLOW] * 24 + [GOOD] + [OVERFLOW] * 24, False),
        ([OVERFLOW] * 25, True),
    ],
)
def test_when_it_has_failed(verdicts: list[Verdict], failed: bool) -> None:
    tested, record = recovery()
    take(tested, *verdicts)
    assert tested.failed is failed
    assert record.skipped == sum(verdict in (NAN, SPIKE) for verdict in verdicts)


def test_trust_is_lost_and_won() -> None:
    tested, _ = recovery()
    tested.watch.judge(torch.tensor(2.0), torch.tensor(1.0))
    for verdict, trusted in ((GOOD, True), (SPIKE, False), (GOOD, True), (NAN, False), (OVERFLOW, True)):
        take(tested, verdict)
        assert tested.trusted is trusted
        assert tested.accepts(math.nan) is tested.accepts(math.inf) is False
    take(tested, NAN)
    assert not tested.accepts(6.0)
    assert tested.accepts(4.0)  # not far above 2
    assert tested.trusted
    assert tested.accepts(6.0)  # nothing speaks against the weights


def test_news_are_told_once() -> None:
    tested, _ = recovery()
    assert tested.news()[0] == 0
    take(tested, NAN, OVERFLOW, SPIKE, GOOD, NAN)
    assert tested.news() == (3, "3 updates left out (2 not finite, 1 spike)")
    assert tested.news()[0] == 0
    take(tested, SPIKE)
    assert tested.news() == (1, "1 update left out (1 spike)")


def test_all_finite() -> None:
    assert all_finite([torch.ones(3), torch.zeros(2, 2)])
    assert not all_finite([torch.ones(3), torch.tensor([1.0, math.nan])])
    assert not all_finite([torch.tensor([math.inf]), torch.ones(3)])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_nobody_waits() -> None:
    """Judged, obeyed and counted with no synchronisation but that with a much earlier update."""
    device = torch.device("cuda")
    model = torch.nn.Linear(3, 3, device=device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
    precision, mean = Precision(dtype=torch.float32, device=device), RunningMean(model, decay=0.9)
    counted = Progress()
    watch = SpikeWatch(norm=100.0, loss=10.0, device=device)
    tested = Recovery(watch=watch, progress=counted, skips=9, window=9, factor=0.5, rollbacks=1)
    loss, before = torch.ones((), device=device), []
    try:
        for update in range(1, 8):
            for parameter in model.parameters():
                parameter.grad = torch.full_like(parameter, math.nan if update in (3, 4) else 1.0)
            before.append([parameter.detach().clone() for parameter in model.parameters()])
            norm = clip_gradients(model.parameters(), by="none", threshold=1.0)
            verdict = watch.judge(loss, norm)
            precision.step(optimizer, verdict == Verdict.APPLIED)
            mean.update(update, applied=verdict == Verdict.APPLIED)
            tested.take(update, verdict)
            torch.cuda.set_sync_debug_mode("error")  # from the second update on
    finally:
        torch.cuda.set_sync_debug_mode("default")
    tested.settle()
    assert (counted.skipped, counted.skips, counted.weights_update) == (2, [3, 4], 7)
    for place, unchanged in ((2, False), (3, True), (4, True), (5, False)):  # between one update and the next
        pairs = zip(before[place - 1], before[place], strict=True)
        assert all(torch.equal(one, other) for one, other in pairs) is unchanged
    assert all_finite(mean.state().values())
