"""COMET (Rei et al. 2020): a trained model that reads source, translation and reference.

Needs the package unbabel-comet, of the extra `comet`, and a model: a name on the Hugging Face hub, or a checkpoint.
"""

from __future__ import annotations

import importlib.metadata
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy

from seq2seq.errors import CorpusError, ModelError, UsageError
from seq2seq.evaluation.corpus_scores import check_lines
from seq2seq.evaluation.resampling import (
    RESAMPLES,
    TRIALS,
    Floats,
    bootstrap_p_value,
    interval,
    randomization_p_value,
    resampled_sums,
    seed_name,
)
from seq2seq.evaluation.scores import Score, SignificanceName

#: The model that COMET's own command takes.
DEFAULT_MODEL = "Unbabel/wmt22-comet-da"

#: A source, its translation and a reference.
Triple = tuple[str, str, str]


class Comet:
    """A COMET model, loaded when there is something to score. It keeps what it has scored: parts cost nothing more.

    Scores are COMET's times 100, as papers give them; the score of a corpus is the mean over its sentences. With
    several references that of a sentence is the mean over them.
    """

    def __init__(
        self,
        *,
        model: str = DEFAULT_MODEL,
        batch_size: int = 16,
        gpus: int = 0,
        devices: Sequence[int] | None = None,
        progress: bool = False,
    ) -> None:
        """Look for the package and, where `model` is a path, for the checkpoint.

        Args:
            model: name on the Hugging Face hub; or path of a checkpoint, or of the folder that holds
                `checkpoints/model.ckpt`.
            batch_size: sentences that COMET reads together.
            gpus: 0 for the CPU, or 1.
            devices: number of the GPU, where there are several.
            progress: show COMET's bar on stderr.

        Raises:
            UsageError: the package is not installed, or another one of that name.
            ModelError: there is no checkpoint at the path.
        """
        self._comet = _package()
        self._path = _checkpoint(model)
        self._name = model
        self._options: dict[str, Any] = {"batch_size": batch_size, "gpus": gpus, "progress_bar": progress}
        if devices is not None:
            self._options["devices"] = list(devices)
        self._model: Any = None
        self._known: dict[Triple, float] = {}

    def load(self) -> None:
        """Load the model, once; without this, the first score does it.

        Raises:
            ModelError: it cannot be fetched or loaded.
        """
        if self._model is not None:
            return
        path = str(self._path) if self._path is not None else self._fetched()
        try:
            with _apart():
                self._model = self._comet.load_from_checkpoint(path)
        except Exception as error:
            raise ModelError(f"COMET's model {self._name} cannot be loaded from {path}: {_reason(error)}") from error

    def signature(self, *, references: int) -> str:
        """What somebody else needs to get the same figure: the model, references, the scale and COMET's version."""
        name = self._name
        if self._path is not None:  # of a file that is called like all, the folder
            name = self._path.stem
            if name == "model":
                name = self._path.resolve().parent.parent.name or name
        return f"model:{name}|nrefs:{references}|scale:100|version:{_version(self._comet)}"

    def sentence_scores(
        self, hypotheses: Sequence[str], sources: Sequence[str], references: Sequence[Sequence[str]]
    ) -> Floats:
        """The score of every sentence, [sentences].

        Args:
            hypotheses: one translation per sentence.
            sources: one per sentence.
            references: `references[set][line]`.

        Raises:
            CorpusError: nothing to score, or there is not a source and a reference for every hypothesis.
            ModelError: the model cannot be fetched or loaded.
        """
        check_lines(hypotheses, references)
        if len(sources) != len(hypotheses):
            raise CorpusError(
                f"COMET reads sources too, but there are {len(sources)} for {len(hypotheses)} hypotheses: give one each"
            )
        triples = [list(zip(sources, hypotheses, one_set, strict=True)) for one_set in references]
        self._score(triple for one_set in triples for triple in one_set)
        scores: Floats = numpy.array([[self._known[triple] for triple in one_set] for one_set in triples])
        means: Floats = scores.mean(0)
        return means

    def _score(self, triples: Iterable[Triple]) -> None:
        new = [triple for triple in dict.fromkeys(triples) if triple not in self._known]
        if not new:
            return
        self.load()
        samples = [{"src": source, "mt": hypothesis, "ref": reference} for source, hypothesis, reference in new]
        with _apart():
            scores = self._model.predict(samples, **self._options).scores
        self._known.update(zip(new, (100.0 * float(score) for score in scores), strict=True))

    def _fetched(self) -> str:
        try:
            with _apart():
                return str(self._comet.download_model(self._name))
        except Exception as error:
            raise ModelError(
                f"COMET's model {self._name} is not on this machine and cannot be fetched ({_reason(error)}); name a "
                "checkpoint that is here with --comet-model, or fetch it where there is a network"
            ) from error


def comet_score(
    comet: Comet,
    hypotheses: Sequence[str],
    sources: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    resamples: int = 0,
) -> Score:
    """COMET of a corpus; the arguments are those of :meth:`Comet.sentence_scores` and :func:`score`."""
    figures = comet.sentence_scores(hypotheses, sources, references)
    return _score_of(figures, comet.signature(references=len(references)), resamples=resamples)


def comet_compare(
    comet: Comet,
    systems: Mapping[str, Sequence[str]],
    sources: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    test: SignificanceName = "bootstrap",
    resamples: int = 0,
    trials: int = 0,
) -> list[Score]:
    """COMET of several systems, each tested against the first; the arguments are those of :func:`compare`."""
    resamples, trials = resamples or RESAMPLES, trials or TRIALS
    signature = comet.signature(references=len(references))
    if test == "randomization":
        signature = _with(signature, f"ar:{trials}")
    scores: list[Score] = []
    baseline: Floats | None = None
    for hypotheses in systems.values():
        figures = comet.sentence_scores(hypotheses, sources, references)
        p_value = None
        if baseline is None:
            baseline = figures
        elif test == "bootstrap":
            p_value = bootstrap_p_value(baseline, figures, resamples)
        else:
            p_value = randomization_p_value(baseline, figures, trials)
        scores.append(_score_of(figures, signature, resamples=resamples, p_value=p_value))
    return scores


def _score_of(figures: Floats, signature: str, *, resamples: int, p_value: float | None = None) -> Score:
    mean = half_width = None
    if resamples > 1:
        mean, half_width = interval(resampled_sums(figures[:, None], resamples)[:, 0] / len(figures))
        signature = _with(signature, f"bs:{resamples}|seed:{seed_name()}")
    return Score(
        metric="comet",
        name="COMET",
        value=float(figures.mean()),
        signature=signature,
        mean=mean,
        half_width=half_width,
        p_value=p_value,
    )


def _with(signature: str, entries: str) -> str:
    """The signature with entries after the number of references, where SacreBLEU has them."""
    head, mark, tail = signature.partition("|scale:")
    return f"{head}|{entries}{mark}{tail}"


def _package() -> Any:
    """The package, imported. Raises UsageError where it is missing."""
    advice = "pip install 'seq2seq-toolkit[comet]', in an environment of its own"
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        import comet
    except ImportError as error:
        what = "the package unbabel-comet"
        if error.name != "comet":
            what += f" with all that it needs ({error})"
        raise UsageError(f"the metric comet needs {what}: {advice}") from None
    finally:
        # It would have every library's notes written to stderr.
        root.setLevel(level)
        root.handlers[:] = handlers
    if not hasattr(comet, "load_from_checkpoint"):
        raise UsageError(f"the package comet that is installed is not unbabel-comet, which the metric needs: {advice}")
    return comet


@contextmanager
def _apart() -> Iterator[None]:
    """Let what COMET and Lightning print go to stderr: stdout is for the report."""
    with redirect_stdout(sys.stderr):
        yield


def _checkpoint(model: str) -> Path | None:
    """The checkpoint that a path leads to; None for a name on the hub. Raises ModelError for a path without any."""
    path = Path(model).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        for candidate in (path / "checkpoints" / "model.ckpt", path / "model.ckpt"):
            if candidate.is_file():
                return candidate
        raise ModelError(f"the folder {model} has no COMET model: there is no checkpoints/model.ckpt in it")
    if path.suffix == ".ckpt" or model.startswith(("/", ".", "~")) or model.count("/") > 1:
        raise ModelError(f"there is no COMET model {model}; name a checkpoint, its folder, or a model on the hub")
    return None


def _version(comet: Any) -> str:
    try:
        return importlib.metadata.version("unbabel-comet")
    except importlib.metadata.PackageNotFoundError:
        return str(getattr(comet, "__version__", "unknown"))


def _reason(error: Exception) -> str:
    """The first line of an exception's message, or its name."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return text.strip().partition("\n")[0].rstrip(".") or type(error).__name__
