"""Options that commands share: what is read and written, which model, and where it runs."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.cli.arguments import ArgumentParser, count, positive
from seq2seq.cli.failure import say
from seq2seq.cli.finding import find_models
from seq2seq.errors import UsageError
from seq2seq.model_files import RECIPE, open_model

if TYPE_CHECKING:
    from seq2seq.recipe import Recipe
    from seq2seq.translator import Translator


def add_input_option(group: argparse._ArgumentGroup, *, help: str) -> None:
    """Add `--input`, the text that is read."""
    group.add_argument("-i", "--input", "--src", metavar="FILE", type=Path, help=help)


def add_output_option(group: argparse._ArgumentGroup, *, what: str) -> None:
    """Add `--output`, where :class:`seq2seq.cli.writing.Output` writes `what`."""
    group.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help=f"file for {what}, compressed if its name ends in .gz; written as FILE.partial and renamed when complete; "
        "- is stdout (default: stdout)",
    )


def add_model_options(parser: ArgumentParser) -> None:
    """Add the group that chooses the model and the machine."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "-m",
        "--model",
        metavar="DIR",
        type=Path,
        nargs="+",
        action="extend",
        help="model directory, as seq2seq-train writes it, or a bundle, as seq2seq-export does (default: "
        "$SEQ2SEQ_MODEL, else the newest run under runs/); several with the same target vocabulary translate together, "
        "as an ensemble, and search as the first one does",
    )
    group.add_argument(
        "--combination",
        choices=("log-linear", "linear"),
        help="of an ensemble: log-linear takes the mean of the log-probabilities, linear that of the probabilities "
        "(default: log-linear)",
    )
    group.add_argument(
        "--weights",
        metavar="X",
        type=positive,
        nargs="+",
        help="of an ensemble: a weight for each model, in their order (default: all are equal)",
    )
    group.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N; auto is a GPU where there is one (default: auto)"
    )
    group.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16", "fp16", "int8"),
        default="fp32",
        help="of the matrix products: with fp32 no translation depends on the others of its batch; bf16 and fp16 are "
        "faster, and auto takes what the machine has of them; int8 is fastest on a CPU (default: fp32)",
    )
    group.add_argument("--threads", metavar="N", type=count, help="CPU threads (default: torch's choice)")
    group.add_argument(
        "--processes",
        metavar="N",
        type=count,
        default=1,
        help="of more than one, each has a copy of the model and its share of the threads: for thousands of lines on a "
        "CPU, above all with --shortlist, and as many times the memory (default: 1)",
    )


@dataclass(frozen=True)
class ChosenModel:
    """The model directories that the options lead to, one or an ensemble, not loaded yet, and how they are to run."""

    directories: tuple[Path, ...]
    reason: str
    device: str
    precision: str
    threads: int | None
    combination: str | None = None
    weights: tuple[float, ...] | None = None
    processes: int = 1

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> ChosenModel:
        """The model that the options of :func:`add_model_options` lead to.

        Raises:
            ModelError: there is none.
            UsageError: there are options for an ensemble, but not for this one.
        """
        directories, reason = find_models(arguments.model)
        weights = None if arguments.weights is None else tuple(arguments.weights)
        for option in ("combination", "weights"):
            if getattr(arguments, option) is not None and len(directories) == 1:
                raise UsageError(f"--{option} is for an ensemble; give several directories to --model, or leave it out")
        if weights is not None and len(weights) != len(directories):
            raise UsageError(
                f"--weights has {len(weights)} numbers for {len(directories)} models; give one for each, in their order"
            )
        return cls(
            directories,
            reason,
            arguments.device,
            arguments.precision,
            arguments.threads,
            arguments.combination,
            weights,
            arguments.processes,
        )

    @property
    def first(self) -> Path:
        """The model, or the first of an ensemble, whose recipe counts."""
        return self.directories[0]

    def recipe(self) -> Recipe:
        """The recipe that counts. Raises ModelError or RecipeError where it cannot be read."""
        from seq2seq.recipe import stored_recipe_from_bytes

        with open_model(self.first) as files:
            return stored_recipe_from_bytes(files.read(RECIPE), str(self.first / RECIPE))

    def load(self, *, program: str, quiet: bool) -> Translator:
        """Load it, and say on stderr which one it is."""
        combination = self.combination or "log-linear"
        with _lasting():
            import torch

            from seq2seq.allocator import bound_kernel_cache, keep_freed_memory
            from seq2seq.translator import Translator

            bound_kernel_cache()
            keep_freed_memory()
            if self.threads is not None:
                torch.set_num_threads(self.threads)
            translator = Translator.load(
                self.directories,
                device=self.device,
                precision=self.precision,  # type: ignore[arg-type]
                combination=combination,  # type: ignore[arg-type]
                weights=self.weights,
                processes=self.processes,
            )
        if not quiet:
            names = " + ".join(map(str, self.directories))
            what = f"model {names}" if len(self.directories) == 1 else f"{combination} ensemble of models {names}"
            say(f"{program}: {what} ({self.reason}) on {translator.device}, {self.precision}")
        return translator


@contextmanager
def _lasting() -> Iterator[None]:
    """Where torch is imported, do not look for garbage among its objects: there are many, and none is any."""
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
