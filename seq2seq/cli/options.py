"""Options that commands share: which model, where it runs, how it searches."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.cli.arguments import ArgumentParser, count, not_negative, positive
from seq2seq.cli.failure import say
from seq2seq.cli.finding import find_models
from seq2seq.errors import UsageError

if TYPE_CHECKING:
    from seq2seq.translation import TranslationKeywords
    from seq2seq.translator import Translator


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
        help="model directory, as seq2seq-train writes it (default: $SEQ2SEQ_MODEL, else the newest run under runs/); "
        "several with the same target vocabulary translate together, as an ensemble, and search as the first one does",
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
        choices=("auto", "fp32", "bf16", "fp16"),
        default="fp32",
        help="of the matrix products: with fp32 no translation depends on the others of its batch; bf16 and fp16 are "
        "faster on a GPU, and auto takes what the machine has of them (default: fp32)",
    )
    group.add_argument("--threads", metavar="N", type=count, help="CPU threads (default: torch's choice)")


def add_search_options(parser: ArgumentParser) -> None:
    """Add the group that overrides the search section of the model's recipe."""
    group = parser.add_argument_group(
        "search",
        "By default as the model's recipe says in its section search; [in brackets] what holds if it says nothing.",
    )
    group.add_argument(
        "-b",
        "--beam",
        "--beam-size",
        metavar="N",
        type=count,
        help="hypotheses kept per sentence; 1 is greedy search [5]",
    )
    group.add_argument(
        "--length-penalty",
        "--lenpen",
        "--alpha",
        metavar="X",
        type=not_negative,
        help="a hypothesis of n pieces, end included, scores log p / n^X; 0 is log p [1.0]",
    )
    group.add_argument(
        "--max-length-ratio",
        metavar="X",
        type=positive,
        help="a translation has at most X pieces per source piece, and some on top [2.0]",
    )
    group.add_argument(
        "--max-length-offset", metavar="N", type=count, help="pieces that it may have on top of --max-length-ratio [20]"
    )
    group.add_argument(
        "--long-input",
        choices=("split", "truncate", "error"),
        help="a line with more than --max-input-pieces: split it at sentence ends, else clause ends, else words, and "
        "join the translations; truncate it; or stop with an error [split]",
    )
    group.add_argument("--max-input-pieces", metavar="N", type=count, help="longest source read at once [200]")
    group.add_argument(
        "--split-sentences",
        action=argparse.BooleanOptionalAction,
        help="translate each sentence of a line by itself, and join the translations with the white space that stood "
        "between the sentences: for lines that are paragraphs [--no-split-sentences]",
    )
    group.add_argument(
        "--batch-size",
        metavar="N",
        type=count,
        help="sentences translated together; changes speed and memory only [64]",
    )
    group.add_argument(
        "--max-tokens",
        metavar="N",
        type=count,
        help="source pieces translated together, padding counted: in place of --batch-size, or as a second limit "
        "beside it [none]",
    )


#: With --max-tokens alone, the number of sentences of a batch has no other limit.
_NO_LIMIT = 1 << 20


def search_keywords(arguments: argparse.Namespace) -> TranslationKeywords:
    """What the options of :func:`add_search_options` ask of a translator."""
    batch_size: int | None = arguments.batch_size
    if batch_size is None and arguments.max_tokens is not None:
        batch_size = _NO_LIMIT
    return {
        "beam": arguments.beam,
        "length_penalty": arguments.length_penalty,
        "max_length_ratio": arguments.max_length_ratio,
        "max_length_offset": arguments.max_length_offset,
        "long_input": arguments.long_input,
        "max_input_pieces": arguments.max_input_pieces,
        "split_sentences": arguments.split_sentences,
        "batch_size": batch_size,
        "max_tokens": arguments.max_tokens,
    }


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
        )

    @property
    def first(self) -> Path:
        """The model, or the first of an ensemble, whose recipe counts."""
        return self.directories[0]

    def load(self, *, program: str, quiet: bool) -> Translator:
        """Load it, and say on stderr which one it is."""
        import torch

        from seq2seq.translator import Translator

        if self.threads is not None:
            torch.set_num_threads(self.threads)
        combination = self.combination or "log-linear"
        translator = Translator.load(
            self.directories,
            device=self.device,
            precision=self.precision,  # type: ignore[arg-type]
            combination=combination,  # type: ignore[arg-type]
            weights=self.weights,
        )
        if not quiet:
            names = " + ".join(map(str, self.directories))
            what = f"model {names}" if len(self.directories) == 1 else f"{combination} ensemble of models {names}"
            say(f"{program}: {what} ({self.reason}) on {translator.device}, {self.precision}")
        return translator
