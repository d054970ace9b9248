"""Finding the model: the one named, else that of the environment, else the newest run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from seq2seq.errors import ModelError
from seq2seq.model_files import FORMAT, WEIGHTS, is_bundle

VARIABLE = "SEQ2SEQ_MODEL"
RUNS = Path("runs")
#: What seq2seq-export --format onnx writes, and no model directory has.
EXPORTED = "translator.json"


def find_model(given: Path | None) -> tuple[Path, str]:
    """The model directory or bundle, and how it was found.

    Args:
        given: what `--model` says, or None.

    Raises:
        ModelError: nothing is named and there is no trained run, or what is named is no model.
    """
    if given is not None:
        return _checked(given, "--model"), "--model"
    if named := os.environ.get(VARIABLE):
        return _checked(Path(named), f"${VARIABLE}"), f"${VARIABLE}"
    return _newest_run(), "the newest run"


def find_models(given: Sequence[Path] | None) -> tuple[tuple[Path, ...], str]:
    """The model directories of an ensemble, or the one model, as :func:`find_model` does; and how they were found."""
    if given:
        for number, each in enumerate(given):
            # Text that was meant to be translated ends up behind the name of the model.
            if number and not each.is_dir() and not is_bundle(each):
                what = "is a file" if each.exists() else "does not exist"
                raise ModelError(
                    f"{each} (--model): {what}; name directories that seq2seq-train wrote, and a text with --input"
                )
        return tuple(_checked(each, "--model") for each in given), "--model"
    directory, reason = find_model(None)
    return (directory,), reason


def _checked(directory: Path, origin: str) -> Path:
    if is_bundle(directory):
        return directory
    if directory.is_file():
        raise ModelError(f"{directory} ({origin}): is a file; name the model directory, such as {directory.parent}")
    if not directory.exists():
        raise ModelError(f"{directory} ({origin}): does not exist; name a directory that seq2seq-train wrote")
    if (directory / EXPORTED).is_file():
        raise ModelError(f"{directory} ({origin}): is an exported model; seq2seq-translate-onnx translates with it")
    if not (directory / FORMAT).is_file():
        raise ModelError(f"{directory} ({origin}): is no model directory, {FORMAT} is missing")
    return directory


def _newest_run() -> Path:
    """The run under `runs/` whose weights were written last."""
    advice = f"name a model with --model or ${VARIABLE}, or train one with seq2seq-train"
    if not RUNS.is_dir():
        raise ModelError(f"there is no folder {RUNS}/ here; {advice}")
    trained = {weights.parent: weights.stat().st_mtime_ns for weights in RUNS.glob(f"*/{WEIGHTS}") if weights.is_file()}
    if not trained:
        raise ModelError(f"no run under {RUNS}/ has weights yet; {advice}")
    return max(trained, key=lambda run: (trained[run], run))
