"""The options of seq2seq-evaluate, and what cannot be asked for together."""

from __future__ import annotations

import argparse
from pathlib import Path

from seq2seq.cli.arguments import ArgumentParser, count
from seq2seq.cli.evaluation_text import STDIN, NamedFile, named_file
from seq2seq.cli.options import add_input_option
from seq2seq.cli.writing import check_output
from seq2seq.errors import UsageError

#: Resamples of the confidence intervals where their number is not given; SacreBLEU's default too.
RESAMPLES = 1000


def add_text_options(parser: ArgumentParser) -> None:
    """Add the group that names texts and translations."""
    group = parser.add_argument_group("text")
    add_input_option(
        group,
        help="source text for the model to translate, plain or gz, one sentence per line; - is stdin; beside "
        "--hypotheses for what reads sources too: --metrics comet and --length-of source",
    )
    group.add_argument(
        "-r",
        "--ref",
        "--tgt",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="reference translations, line by line; may be given several times",
    )
    group.add_argument(
        "--hypotheses",
        "--hyp",
        metavar="[NAME=]FILE",
        type=named_file,
        nargs="+",
        action="extend",
        default=[],
        help="translations to score as they are, of one system or several, which are then compared with the first; "
        "- is stdin; a system without NAME is called as its file",
    )
    group.add_argument(
        "--groups",
        metavar="FILE",
        type=Path,
        help="one label per line: the sentences of every label are also scored apart",
    )
    group.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="save the model's translations; those of several test sets one after the other",
    )


def add_scoring_options(parser: ArgumentParser) -> None:
    """Add the group that says how to score."""
    group = parser.add_argument_group(
        "scoring",
        "By default as the model's recipe says; [in brackets] what holds if it says nothing, or without a model.",
    )
    group.add_argument(
        "--metrics",
        nargs="+",
        metavar="NAME",
        choices=("bleu", "chrf", "chrf++", "ter", "comet"),
        help="bleu, chrf, chrf++, ter, comet, in the order of the report; comet needs the package unbabel-comet and a "
        "model of it [bleu chrf]",
    )
    group.add_argument(
        "--tokenize",
        choices=("13a", "intl", "char", "zh", "none"),
        help="BLEU's tokenization, which the other metrics do not have [13a]",
    )
    group.add_argument(
        "--lowercase",
        action=argparse.BooleanOptionalAction,
        help="ignore case in BLEU and chrF; TER always does, COMET never [--no-lowercase]",
    )
    group.add_argument(
        "--both-cases",
        dest="lowercase",
        action="store_const",
        const="both",
        help="BLEU and chrF with case, then without it, each with its signature",
    )
    group.add_argument(
        "--comet-model",
        metavar="MODEL",
        help="model of --metrics comet: a checkpoint, the folder with checkpoints/model.ckpt, or a name on the Hugging "
        "Face hub (default: Unbabel/wmt22-comet-da)",
    )
    group.add_argument(
        "--confidence",
        metavar="N",
        nargs="?",
        type=count,
        const=RESAMPLES,
        default=0,
        help=f"add 95%% confidence intervals to every score, from N bootstrap resamples; without N from {RESAMPLES}; "
        "a comparison and --plot have them anyway",
    )


def add_comparison_options(parser: ArgumentParser) -> None:
    """Add the group that compares systems, and parts of the text."""
    group = parser.add_argument_group("comparison")
    group.add_argument(
        "--compare",
        metavar="[NAME=]FILE",
        type=named_file,
        nargs="+",
        action="extend",
        default=[],
        help="translations of the same text by other systems, each tested for a significant difference to the model or "
        "to the first of --hypotheses; needs --ref",
    )
    group.add_argument(
        "--significance",
        choices=("bootstrap", "randomization"),
        default="bootstrap",
        help="test of a comparison: paired bootstrap resampling or paired approximate randomization "
        "(default: bootstrap)",
    )
    group.add_argument(
        "--trials", metavar="N", type=count, default=0, help="trials of --significance randomization (default: 10000)"
    )
    group.add_argument(
        "--by-length",
        metavar="N",
        nargs="*",
        type=int,
        help="also score the sentences of every length apart, in buckets whose last lengths are N ..., in tokens as "
        "BLEU counts them; without N in buckets of 5 and more, joined until each has 30 sentences",
    )
    group.add_argument(
        "--length-of",
        choices=("reference", "source"),
        help="whose length; implies --by-length (default: reference, the first one)",
    )
    group.add_argument(
        "--by-frequency",
        metavar="N",
        nargs="*",
        type=int,
        help="also F1, precision and recall of words, in buckets of how often they are in the training text, whose "
        "last frequencies are N ...; without N 0 1 4 9 99 999",
    )
    group.add_argument(
        "--frequency-corpus",
        metavar="FILE",
        type=Path,
        help="text to count words in, one sentence per line; implies --by-frequency (default: the target side of the "
        "training corpus of the model's recipe; without a model the references)",
    )


def add_report_options(parser: ArgumentParser) -> None:
    """Add the group that says in which form the report comes."""
    group = parser.add_argument_group("report")
    form = group.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true", help="print one JSON object: the model, and every test set with its scores"
    )
    form.add_argument("--markdown", action="store_true", help="print tables in Markdown")
    group.add_argument(
        "--plot",
        metavar="FILE",
        type=Path,
        help="draw scores with their confidence, and the breakdowns, into a .png, .svg or .pdf",
    )


def check(chosen: argparse.Namespace) -> None:
    """Find what is wrong with the arguments before anything is loaded."""
    reads_sources = "comet" in (chosen.metrics or ()) or chosen.length_of == "source"
    if chosen.input is not None and chosen.hypotheses and not reads_sources:
        raise UsageError(
            "--input is for a model to translate, --hypotheses are translations already; give one of them, or "
            "--hypotheses to --compare"
        )
    given = "--hypotheses" if chosen.hypotheses else "--input" if chosen.input is not None else None
    if given is not None and not chosen.ref:
        raise UsageError(f"{given} needs --ref, the translations to compare with")
    if given is None and chosen.ref:
        raise UsageError("--ref needs --input, for the model to translate, or --hypotheses")
    for option in ("groups", "compare"):
        if getattr(chosen, option) and given is None:
            raise UsageError(f"--{option} needs --ref with --input or --hypotheses; test sets have groups of their own")
    if chosen.hypotheses and chosen.input is None and reads_sources:
        what = "--length-of source" if chosen.length_of == "source" else "--metrics comet"
        raise UsageError(f"{what} reads the sources too; name them with --src")
    if chosen.comet_model is not None and "comet" not in (chosen.metrics or ()):
        raise UsageError("--comet-model is for --metrics comet; add that, or leave it out")
    if chosen.trials and chosen.significance != "randomization":
        raise UsageError("--trials is for --significance randomization; the bootstrap has --confidence")
    _check_stdin(chosen)
    if chosen.output is not None:
        if chosen.hypotheses:
            raise UsageError("--output saves what a model translates, but --hypotheses are there already; leave it out")
        check_output(chosen.output)
    if chosen.plot is not None:
        from seq2seq.comparison.figure import check_figure

        check_output(chosen.plot)
        check_figure(chosen.plot)


def _check_stdin(chosen: argparse.Namespace) -> None:
    named: list[NamedFile] = [*chosen.hypotheses, *chosen.compare]
    paths = [chosen.input, *chosen.ref, chosen.groups, chosen.frequency_corpus, *(each.path for each in named)]
    if paths.count(STDIN) > 1:
        raise UsageError("standard input, -, is named more than once; it can be read only once")
