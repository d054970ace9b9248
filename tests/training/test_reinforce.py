"""REINFORCE: its loss by hand, its baseline over updates, and that its gradient is right on average."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

from seq2seq.build import build_model
from seq2seq.data.batch import Batch
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.nn.attention import Choice, hard
from seq2seq.recipe import Model
from seq2seq.training.loss import cross_entropy
from seq2seq.training.objective import Objective
from seq2seq.training.precision import Precision
from seq2seq.training.reinforce import Reinforce
from seq2seq.training.step import StepReport, train_step

CPU = torch.device("cpu")

MakeModel = Callable[..., EncoderDecoder]
MakePairs = Callable[..., Batch]

#: Two target sentences of two and three pieces over a vocabulary of three; -9 is padding.
TARGETS = [[2, 0, -9], [1, 1, 2]]
MASK = torch.tensor([[True, True, False], [True, True, True]])


def sines(*shape: int, offset: float = 0.0) -> Tensor:
    count = int(numpy.prod(shape))
    return torch.sin(torch.arange(count, dtype=torch.float64) ** 2 + offset).reshape(shape)


def make(*, reward_weight: float = 1.0, entropy_weight: float = 0.0) -> Reinforce:
    return Reinforce(reward_weight=reward_weight, entropy_weight=entropy_weight, device=CPU)


def by_hand(
    logits: numpy.ndarray, log_probs: numpy.ndarray, entropies: numpy.ndarray, baseline: float | None, **weights: float
) -> tuple[float, float, list[float]]:
    """The loss, the mean reward and the advantages, one number at a time."""
    rewards = []
    for row, targets in enumerate(TARGETS):
        total, pieces = 0.0, 0
        for position, target in enumerate(targets):
            if target >= 0:
                scores = numpy.exp(logits[row, position])
                total += float(numpy.log(scores[target] / scores.sum()))
                pieces += 1
        rewards.append(total / pieces)
    mean = sum(rewards) / len(rewards)
    advantages = [reward - (mean if baseline is None else baseline) for reward in rewards]
    loss = 0.0
    for row, targets in enumerate(TARGETS):
        for position, target in enumerate(targets):
            if target >= 0:
                loss -= weights["reward_weight"] * advantages[row] * log_probs[row, position]
                loss -= weights["entropy_weight"] * entropies[row, position]
    return loss, mean, advantages


def targets() -> Tensor:
    return torch.tensor(TARGETS).clamp_min(0)


def test_the_loss_and_the_baseline_over_several_updates() -> None:
    weights = {"reward_weight": 1.7, "entropy_weight": 0.3}
    reinforce = make(**weights)
    baseline: float | None = None
    for update in range(4):
        logits = sines(2, 3, 3, offset=update).requires_grad_()
        log_probs, entropies = -sines(2, 3, offset=0.5 + update).abs(), sines(2, 3, offset=0.7 + update).abs()
        choice = Choice(log_probs.requires_grad_(), entropies.requires_grad_())
        loss = reinforce.loss(logits, targets(), MASK, choice)
        expected, mean, advantages = by_hand(
            logits.detach().numpy(), log_probs.detach().numpy(), entropies.detach().numpy(), baseline, **weights
        )
        assert loss.item() == pytest.approx(expected, abs=1e-10)
        loss.backward()
        assert logits.grad is None  # the reward is a number, not a way for gradients
        for row in range(2):
            for position in range(3):
                real = float(MASK[row, position])
                assert choice.log_probs.grad is not None
                assert choice.entropies.grad is not None
                gradient = choice.log_probs.grad[row, position].item()
                assert gradient == pytest.approx(-real * 1.7 * advantages[row], abs=1e-10)
                assert choice.entropies.grad[row, position].item() == pytest.approx(-real * 0.3, abs=1e-10)
        baseline = 0.9 * (mean if baseline is None else baseline) + 0.1 * mean
        assert reinforce.state()["baseline"].item() == pytest.approx(baseline, abs=1e-10)


def test_the_first_baseline_is_the_first_reward() -> None:
    """Rewards of log 1/3 in every sentence are no better and no worse than they were expected to be."""
    reinforce = make()
    choice = Choice(-sines(2, 3).abs(), sines(2, 3))
    assert reinforce.loss(torch.zeros(2, 3, 3, dtype=torch.float64), targets(), MASK, choice).item() == 0.0
    assert reinforce.state()["baseline"].item() == pytest.approx(-numpy.log(3.0), abs=1e-12)


def test_a_choice_is_reinforced_when_the_reward_is_above_the_baseline() -> None:
    for better, sign in ((4.0, -1.0), (-4.0, 1.0)):
        reinforce = make()
        choice = Choice(torch.full((2, 3), -1.0, requires_grad=True), torch.zeros(2, 3))
        reinforce.loss(torch.zeros(2, 3, 3), targets(), MASK, choice)
        logits = torch.zeros(2, 3, 3).scatter(-1, targets().unsqueeze(-1), better)
        reinforce.loss(logits, targets(), MASK, choice).backward()
        assert choice.log_probs.grad is not None
        assert (choice.log_probs.grad[MASK].sign() == sign).all()  # descending makes the better choice more likely


def test_padding_counts_for_nothing() -> None:
    outcomes = []
    for junk in (0.0, 1e4):
        reinforce = make(reward_weight=2.0, entropy_weight=0.5)
        for update in range(2):
            logits, log_probs, entropies = sines(2, 3, 3, offset=update), -sines(2, 3).abs(), sines(2, 3)
            logits[~MASK], log_probs[~MASK], entropies[~MASK] = junk * sines(1, 3), -junk, junk
            padded = targets().masked_fill(~MASK, 1 if junk else 0)
            loss = reinforce.loss(logits, padded, MASK, Choice(log_probs, entropies))
        outcomes.append((loss.item(), reinforce.state()["baseline"].item()))
    assert outcomes[0] == outcomes[1]


def test_a_reward_that_is_no_number_is_not_remembered() -> None:
    """A batch that overflowed is left out by the step; it must not spoil what all later batches are held against."""
    choice = Choice(-sines(2, 3).abs(), sines(2, 3))
    reinforce, fresh = make(), make()
    broken = sines(2, 3, 3)
    broken[0, 0, 0] = float("nan")
    assert torch.isnan(fresh.loss(broken, targets(), MASK, choice))
    assert fresh.state()["begun"].item() == 0.0
    for one in (reinforce, fresh):
        one.loss(sines(2, 3, 3), targets(), MASK, choice)
    assert fresh.state() == reinforce.state()
    before = reinforce.state()["baseline"].item()
    reinforce.loss(broken, targets(), MASK, choice)
    assert reinforce.state()["baseline"].item() == before


def test_the_state_goes_round() -> None:
    choice = Choice(-sines(2, 3).abs(), sines(2, 3))
    one, other = make(), make()
    one.loss(sines(2, 3, 3), targets(), MASK, choice)
    state = {name: tensor.clone() for name, tensor in one.state().items()}
    other.load_state(state)
    for update in range(1, 3):
        logits = sines(2, 3, 3, offset=update)
        losses = [each.loss(logits, targets(), MASK, choice).item() for each in (one, other)]
        assert losses[0] == losses[1] != 0.0
    assert state["begun"].item() == 1.0


def test_float32_of_short_formats() -> None:
    choice = Choice(-sines(2, 3).abs().bfloat16(), sines(2, 3).bfloat16())
    loss = make(entropy_weight=0.1).loss(sines(2, 3, 3).bfloat16(), targets(), MASK, choice)
    assert loss.dtype == torch.float32


# In the network


def hard_model(fill: Callable[..., Any], *, context: str, scale: float = 0.9) -> EncoderDecoder:
    description = Model.model_validate(
        {
            "encoder": {"cell": "gru", "hidden_size": 2, "embedding_size": 3},
            "decoder": {"cell": "gru", "hidden_size": 3, "embedding_size": 3},
            "attention": {"type": "hard", "context": context, "size": 2},
        }
    )
    model: EncoderDecoder = fill(build_model(description, source_vocabulary=7, target_vocabulary=7), scale).double()
    return model.train()


class Script:
    """Stands in for the drawing of positions: gives positions as they are written, one call of it after the other."""

    def __init__(self, positions: Sequence[int]) -> None:
        self.left = list(positions)

    def __call__(self, log_probs: Tensor) -> Tensor:
        count = log_probs.shape[1]
        taken, self.left = self.left[:count], self.left[count:]
        assert torch.isfinite(log_probs[0, range(count), taken]).all()
        return torch.tensor(taken).view(1, count, 1)


@pytest.mark.parametrize("context", ["output", "input-feeding", "conditional", "previous-state"])
@pytest.mark.parametrize("baseline", [0.0, -1.3])
def test_the_gradient_is_that_of_the_expected_reward(
    context: str, baseline: float, fill: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Averaged over every course of choices with its probability, exactly, whatever the baseline.

    A sentence of three positions and a target of three pieces: 27 courses. In the wirings with a loop over time a
    choice changes what the later ones are drawn from.
    """
    model = hard_model(fill, context=context)
    source, lengths = torch.tensor([[4, 5, 2]]), torch.tensor([3])
    target_in, target_out = torch.tensor([[1, 3, 6]]), torch.tensor([[3, 6, 2]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    parameters = list(model.parameters())

    estimate = [torch.zeros_like(parameter) for parameter in parameters]
    expected_reward = torch.zeros((), dtype=torch.float64)
    total = 0.0
    rewards = set()
    for course in itertools.product(range(3), repeat=3):
        monkeypatch.setattr(hard, "draw", Script(course))
        prediction = model(source, lengths, target_in)
        monkeypatch.undo()
        assert prediction.choice is not None
        # What is to be estimated: the sum over courses of p(course) reward(course), both with their gradients.
        probability = prediction.choice.log_probs.sum().exp()
        reward = prediction.logits.log_softmax(-1).gather(-1, target_out.unsqueeze(-1)).mean()
        expected_reward = expected_reward + probability * reward
        total += probability.item()
        rewards.add(round(reward.item(), 9))
        # The estimate of one course: the surrogate of its choices and the ordinary gradient of its reward.
        reinforce = make()
        reinforce.load_state({"baseline": torch.tensor(baseline, dtype=torch.float64), "begun": torch.ones(())})
        surrogate = reinforce.loss(prediction.logits, target_out, mask, prediction.choice)
        loss = cross_entropy(prediction.logits, target_out, mask, smoothing=0.0)[0] / 3
        gradients = torch.autograd.grad(surrogate + loss, parameters, allow_unused=True, retain_graph=True)
        for sum_, gradient in zip(estimate, gradients, strict=True):
            if gradient is not None:
                sum_ += probability.item() * gradient
    assert total == pytest.approx(1.0, abs=1e-12)
    assert len(rewards) == 27  # each course is worth something else
    exact = torch.autograd.grad(-expected_reward, parameters, allow_unused=True)
    names = [name for name, _ in model.named_parameters()]
    for name, ours, theirs in zip(names, estimate, exact, strict=True):
        theirs = torch.zeros_like(ours) if theirs is None else theirs
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10, msg=name)
        if name.startswith("decoder.attention.") and "key.bias" not in name:
            assert ours.abs().max() > 1e-6, name


def test_the_expected_reward_grows(fill: Callable[..., Any]) -> None:
    """Sampled, as in training: from choices alone the attention learns which position carries the answer.

    Two sentences whose values differ in one position; only the attention's own parameters are trained.
    """
    torch.manual_seed(3)
    scores = torch.zeros(2, 3, requires_grad=True)  # of three positions, for each of two sentences
    reinforce = make(entropy_weight=0.0)
    optimizer = torch.optim.SGD([scores], lr=0.5)
    answers = torch.tensor([2, 0])
    for _ in range(200):
        log_policy = scores.log_softmax(-1)
        drawn = torch.multinomial(log_policy.detach().exp(), 1)
        choice = Choice(log_policy.gather(-1, drawn), torch.zeros(2, 1))
        right = (drawn.squeeze(1) == answers).float()
        logits = torch.stack((2.0 * right, torch.zeros(2)), dim=-1).unsqueeze(1)  # the piece 0 is likely where right
        loss = reinforce.loss(logits, torch.zeros(2, 1, dtype=torch.long), torch.ones(2, 1, dtype=torch.bool), choice)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (scores.softmax(-1)[range(2), answers] > 0.9).all()


def update(model: EncoderDecoder, batch: Batch, reinforce: Reinforce | None, *, rate: float = 0.0) -> StepReport:
    return train_step(
        model.train(), [batch], optimizer=torch.optim.SGD(model.parameters(), lr=rate),
        precision=Precision(dtype=torch.float32, device=CPU), learning_rate=rate, clip_by="none",
        clip_threshold=1.0, objective=Objective(label_smoothing=0.1, reinforce=reinforce),
    )  # fmt: skip


@pytest.mark.parametrize("context", ["output", "upper-layers", "input-feeding", "conditional", "previous-state"])
def test_an_update_trains_the_attention(context: str, make_model: MakeModel, make_pairs: MakePairs) -> None:
    attention = {"type": "hard", "context": context}
    learns = ["decoder.attention.query.weight", "decoder.attention.key.weight", "decoder.attention.score.weight"]
    gradients: dict[bool, dict[str, Tensor | None]] = {}
    for with_reinforce in (False, True):
        model = make_model(attention=attention)
        reinforce = make(entropy_weight=0.01) if with_reinforce else None
        torch.manual_seed(5)
        update(model, make_pairs(), reinforce)
        gradients[with_reinforce] = {name: parameter.grad for name, parameter in model.named_parameters()}
    for name in learns:
        without, reached = gradients[False][name], gradients[True][name]
        assert without is None or not without.any()  # no gradient passes through the drawing
        assert reached is not None
        assert reached.abs().max() > 1e-6
    # The output layer is behind the choice: only what REINFORCE does not touch reaches it.
    assert gradients[False]["output.bias"] is not None
    assert gradients[True]["output.bias"] is not None
    torch.testing.assert_close(gradients[False]["output.bias"], gradients[True]["output.bias"])


def test_the_loss_reported_is_the_cross_entropy(make_model: MakeModel, make_pairs: MakePairs) -> None:
    reports = []
    for reinforce in (None, make(reward_weight=100.0, entropy_weight=10.0)):
        torch.manual_seed(5)
        reports.append(update(make_model(attention={"type": "hard"}), make_pairs(), reinforce))
    assert reports[0].loss.item() == reports[1].loss.item()
    assert reports[0].likelihood.item() == reports[1].likelihood.item()
    assert reports[0].gradient_norm.item() != reports[1].gradient_norm.item()


def test_evaluation_chooses_nothing_and_other_attentions_never(make_model: MakeModel, make_pairs: MakePairs) -> None:
    batch = make_pairs()
    model = make_model(attention={"type": "hard"})
    assert model.train()(batch.source, batch.source_lengths, batch.target_in).choice is not None
    assert model.eval()(batch.source, batch.source_lengths, batch.target_in).choice is None
    soft = make_model(attention={"type": "coverage", "context": "conditional"}).train()
    assert soft(batch.source, batch.source_lengths, batch.target_in).choice is None
    update(soft, batch, make())  # which then has nothing to do
