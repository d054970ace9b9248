"""Resamples of sentences: the means, intervals and p-values of SacreBLEU's own tests, of a metric that is a mean."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from sacrebleu.metrics.base import Score as TheirScore
from sacrebleu.significance import PairedTest

from seq2seq.evaluation.resampling import (
    bootstrap_p_value,
    interval,
    randomization_p_value,
    resampled_sums,
    seed_name,
)

#: Figures of 25 sentences by a formula, of three systems: the second is a little better, the third hardly.
ONE = numpy.array([50 + 30 * numpy.sin(n * n) for n in range(1, 26)])
TWO = ONE + numpy.array([2 + 6 * numpy.cos(3 * n) for n in range(1, 26)])
THREE = ONE + numpy.array([0.5 + 9 * numpy.sin(5 * n) for n in range(1, 26)])


class Signature:
    def update(self, key: str, value: Any) -> None:
        pass


class Mean:
    """SacreBLEU's interface of a metric, for one that is the mean of figures given as text."""

    def _extract_corpus_statistics(self, hypotheses: list[str], references: Any) -> list[list[float]]:
        return [[float(line), 1.0] for line in hypotheses]

    def _compute_score_from_stats(self, stats: Any) -> TheirScore:
        return TheirScore("mean", float(stats[0]) / float(stats[1]))

    def _aggregate_and_compute(self, stats: Any) -> TheirScore:
        return self._compute_score_from_stats(numpy.sum(stats, axis=0))

    def get_signature(self) -> Signature:
        return Signature()


def theirs(kind: str, samples: int) -> list[Any]:
    systems = [(name, [repr(float(x)) for x in xs]) for name, xs in (("1", ONE), ("2", TWO), ("3", THREE))]
    confidence = 80 if kind == "ar" else -1
    test = PairedTest(systems, {"m": Mean()}, None, test_type=kind, n_samples=samples, n_ar_confidence=confidence)  # type: ignore[dict-item]
    return list(test()[1]["mean"])


def test_the_bootstrap_is_that_of_sacrebleu() -> None:
    for figures, result in zip((ONE, TWO, THREE), theirs("bs", 200), strict=True):
        mean, half_width = interval(resampled_sums(figures[:, None], 200)[:, 0] / 25)
        assert mean == pytest.approx(result.mean, abs=1e-4)
        assert half_width == pytest.approx(result.ci, abs=1e-4)
        if result.p_value is not None:
            assert bootstrap_p_value(ONE, figures, 200) == pytest.approx(result.p_value)
    assert [result.p_value for result in theirs("bs", 200)][1:] != [1 / 201, 1 / 201]  # or it would say little


def test_the_randomization_is_that_of_sacrebleu() -> None:
    for figures, result in list(zip((ONE, TWO, THREE), theirs("ar", 300), strict=True))[1:]:
        assert randomization_p_value(ONE, figures, 300) == pytest.approx(result.p_value)


def test_many_trials_are_drawn_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = randomization_p_value(ONE, THREE, 4000)
    monkeypatch.setattr("seq2seq.evaluation.resampling._MOST_DRAWS", 25 * 64)
    assert randomization_p_value(ONE, THREE, 4000) == pytest.approx(whole, abs=0.04)


def test_a_system_and_its_copy_are_equally_good() -> None:
    assert bootstrap_p_value(ONE, ONE.copy(), 50) == 1.0
    assert randomization_p_value(ONE, ONE.copy(), 50) == 1.0


def test_the_seed_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seed_name() == "12345"
    first = resampled_sums(ONE[:, None], 5)
    numpy.testing.assert_array_equal(resampled_sums(ONE[:, None], 5), first)
    monkeypatch.setenv("SACREBLEU_SEED", "7")
    assert seed_name() == "7"
    assert (resampled_sums(ONE[:, None], 5) != first).any()
    monkeypatch.setenv("SACREBLEU_SEED", "None")
    assert seed_name() == "none"
    assert (resampled_sums(ONE[:, None], 5) != resampled_sums(ONE[:, None], 5)).any()
