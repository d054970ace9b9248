"""Bootstrap and randomization over figures of sentences, for measures that SacreBLEU does not have.

Both draw what SacreBLEU draws from the same seed (`SACREBLEU_SEED`, or 12345), so that a measure computed here and one
of SacreBLEU's see the same resamples.
"""

from __future__ import annotations

import os

import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]

#: SacreBLEU's defaults.
RESAMPLES, TRIALS = 1000, 10_000
#: Of a table of trials by sentences, what is held at a time.
_MOST_DRAWS = 1 << 25


def seed_name() -> str:
    """The seed as SacreBLEU's signatures write it: a number, or `none` for another one at every call."""
    return os.environ.get("SACREBLEU_SEED", "12345").lower()


def resampled_sums(figures: Floats, resamples: int) -> Floats:
    """Sums over the sentences of bootstrap resamples: of figures [sentences, n], sums [resamples, n]."""
    random = _generator()
    sentences = len(figures)
    return numpy.stack([figures[random.integers(0, sentences, size=sentences)].sum(0) for _ in range(resamples)])


def interval(scores: Floats) -> tuple[float, float]:
    """Mean of the resamples' scores [resamples], and half the width of their 95 % interval.

    The interval lies between the percentiles 2.5 and 97.5, as SacreBLEU takes them.
    """
    from sacrebleu.significance import estimate_ci

    mean, half_width = estimate_ci(scores)
    return float(mean), float(half_width)


def bootstrap_p_value(baseline: Floats, system: Floats, resamples: int) -> float:
    """Of the difference between the means of two systems' figures [sentences], by paired bootstrap (Koehn 2004).

    The share of resamples whose difference, less the mean over the resamples, is larger than the one observed.
    """
    means = resampled_sums(numpy.stack([baseline, system], axis=1), resamples) / len(baseline)
    differences = numpy.abs(means[:, 1] - means[:, 0])
    return _p_value(differences - differences.mean(), baseline, system)


def randomization_p_value(baseline: Floats, system: Floats, trials: int) -> float:
    """Of the same by paired approximate randomization (Riezler and Maxwell 2005).

    The share of trials, in each of which every sentence changes sides with probability 1/2, whose difference is larger
    than the one observed.
    """
    random = _generator()
    sentences = len(baseline)
    at_once = max(1, _MOST_DRAWS // sentences)
    differences = []
    for begin in range(0, trials, at_once):
        stays = random.integers(2, size=(min(at_once, trials - begin), sentences), dtype=bool)
        differences.append(numpy.abs(numpy.where(stays, baseline - system, system - baseline).mean(1)))
    return _p_value(numpy.concatenate(differences), baseline, system)


def _p_value(differences: Floats, baseline: Floats, system: Floats) -> float:
    observed = abs(baseline.mean() - system.mean())
    if observed == 0.0:
        return 1.0  # every difference is at least as large
    return float(((differences > observed).sum() + 1) / (len(differences) + 1))


def _generator() -> numpy.random.Generator:
    seed = seed_name()
    return numpy.random.default_rng(None if seed == "none" else int(seed))
