"""seq2seq-translate: lines in, their translations out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.cli.arguments import ArgumentParser, count, phrase
from seq2seq.cli.failure import run, say
from seq2seq.cli.input_format import add_input_format_options, choose_layout
from seq2seq.cli.layout import Feed, Layout
from seq2seq.cli.options import ChosenModel, add_input_option, add_model_options, add_output_option
from seq2seq.cli.progress import Bar, TranslationProgress, is_watched, warn
from seq2seq.cli.reading import MOST_LINES, LineReader, chunk_sizes, file_or_stream, open_reader
from seq2seq.cli.search_options import add_search_options, search_keywords
from seq2seq.cli.writing import Output, check_output
from seq2seq.errors import UsageError

if TYPE_CHECKING:
    from seq2seq.cli.alignment_page import PageOfAlignments
    from seq2seq.translator import Translator

PROGRAM = "seq2seq-translate"

_DESCRIPTION = """\
Translate lines: n lines in give n lines out, in order, whatever they hold.

Only \\n ends a line. A line is a sentence or, with --split-sentences, a paragraph; or a row of TSV or a JSON object,
see --input-format. What is not UTF-8 is replaced by U+FFFD, and the command says so at its end. Lines are translated
as soon as they arrive, many together where many have arrived. Nothing but translations goes to stdout."""

_EXAMPLES = """\
examples:
  echo 'Where is the station?' | seq2seq-translate
  seq2seq-translate --model runs/en-fr --beam 10 -i input.en -o output.fr
  seq2seq-translate --model runs/one runs/two --weights 2 1 -i input.en -o output.fr
  seq2seq-translate --n-best 5 --alignment < input.en > output.nbest
  seq2seq-translate --split-sentences < book.txt > translated.txt
  seq2seq-translate -i table.tsv --source-column en --target-column fr > translated.tsv
  seq2seq-translate -i reviews.jsonl --source-field review -o translated.jsonl
  seq2seq-translate -i asked.jsonl --prefix-field --include-field --avoid-field -o translated.jsonl"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return run(PROGRAM, lambda: _translate(arguments))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog=PROGRAM, usage=f"{PROGRAM} [options]", description=_DESCRIPTION, epilog=_EXAMPLES)
    group = parser.add_argument_group("input and output")
    add_input_option(
        group,
        help="text to translate, plain or gz, one sentence per line; - is stdin (default: stdin)",
    )
    add_output_option(group, what="the translations")
    group.add_argument(
        "--n-best",
        "--nbest",
        metavar="N",
        nargs="?",
        type=count,
        const=0,
        help="write the N best translations of every line as Moses does, `id ||| text ||| logprob= x ||| score` with "
        "ids from 0; fewer where there are no more, such as one for an empty line; without N as many as the beam; with "
        "--sample N samples",
    )
    group.add_argument(
        "--scores",
        action="store_true",
        help="write `text ||| score`: log-probability (natural) by length, see --length-penalty",
    )
    group.add_argument(
        "--alignment",
        action="store_true",
        help="add ` ||| 0-0 1-2`: for every word of the translation the source word that it attends to most, source "
        "first, from 0; words are what white space separates in the raw lines",
    )
    group.add_argument(
        "--json",
        action="store_true",
        help="write a JSON object per line: translation, score, log_prob, tokens, token_log_probs, word_confidences, "
        "alignment, finished (false when cut off at the maximum length); with --n-best also n_best, a list of such "
        "objects",
    )
    group.add_argument(
        "--soft-alignment",
        action="store_true",
        help="in the JSON also soft_alignment: for every word of the translation its attention to each word of the "
        "line; what is left of 1 went to the end",
    )
    group.add_argument(
        "--alignment-page",
        metavar="FILE",
        type=Path,
        help="also write a web page of what the model looked at in the first 200 lines: heat maps between words, one "
        "HTML file that needs no other",
    )
    group.add_argument(
        "--carry-over",
        metavar="KIND",
        nargs="+",
        choices=("urls", "numbers", "unknown", "tags"),
        help="put into the translation as they stand in the line: urls (and addresses of mail), numbers that became "
        "other numbers, unknown words, all in the place of the words aligned with them; tags such as <b>, which the "
        "model then does not see",
    )
    group.add_argument(
        "--avoid",
        metavar="PHRASE",
        type=phrase,
        nargs="+",
        action="extend",
        default=[],
        help="no translation has any of these phrases of the target language, cased as they stand here; see also "
        "--avoid-field",
    )
    add_input_format_options(parser)
    add_model_options(parser)
    add_search_options(parser)
    parser.add_general_options(quiet="say nothing on stderr but warnings and errors")
    return parser


def _translate(arguments: Sequence[str] | None) -> None:
    chosen = _parser().parse_args(arguments)
    source, target = file_or_stream(chosen.input), file_or_stream(chosen.output)
    _check(chosen, source, target)
    layout = choose_layout(chosen, source=source)
    model = ChosenModel.of(chosen)
    with open_reader(source, ahead=2 * MOST_LINES) as reader:  # it reads while the model loads
        try:
            translator = model.load(program=PROGRAM, quiet=chosen.quiet)
            if source is None and sys.stdin.isatty():
                end = "Ctrl-Z and Enter" if os.name == "nt" else "Ctrl-D"
                say(f"{PROGRAM}: type a sentence and press Enter; {end} ends")
            _translate_lines(reader, layout, translator, chosen, source=source, target=target)
        finally:
            warn(PROGRAM, reader.invalid.message())


def _check(chosen: argparse.Namespace, source: Path | None, target: Path | None) -> None:
    """Find what is wrong with the arguments before anything is loaded."""
    if chosen.n_best and chosen.beam and chosen.n_best > chosen.beam:
        raise UsageError(
            f"--n-best {chosen.n_best} is more than --beam {chosen.beam}; raise the beam, or ask for fewer"
        )
    if chosen.soft_alignment and not chosen.json:
        raise UsageError("--soft-alignment is part of the JSON; add --json, or leave it out")
    if chosen.n_best == 0 and chosen.method == "sampling":
        raise UsageError("--n-best needs a number with --sample: how many samples of every line")
    if chosen.alignment_page is not None:
        check_output(chosen.alignment_page, inputs=[source])
    if target is not None:
        check_output(target, inputs=[source])


def _translate_lines(
    reader: LineReader,
    layout: Layout,
    translator: Translator,
    chosen: argparse.Namespace,
    *,
    source: Path | None,
    target: Path | None,
) -> None:
    if chosen.alignment and not translator.has_attention:
        raise UsageError("the model has no attention, so it cannot align words; leave out --alignment")
    if chosen.alignment_page is not None and not translator.has_attention:
        raise UsageError("the model has no attention, so there is nothing to draw; leave out --alignment-page")
    if chosen.carry_over and not translator.has_attention:
        raise UsageError(
            "the model has no attention that says where words come from, so none can be carried over; leave out "
            "--carry-over"
        )
    n_best = chosen.n_best
    if n_best == 0:
        n_best = chosen.mbr or chosen.beam or translator.options.beam
    keywords = search_keywords(chosen)
    page = _page(chosen.alignment_page)
    keywords["alignment"] = chosen.alignment or chosen.json or page is not None
    keywords["soft_alignment"] = chosen.soft_alignment or page is not None
    keywords["carry_over"] = tuple(chosen.carry_over or ())
    is_file = source is not None and source.is_file()
    # A sentence has 16 pieces or more, as a rule.
    sizes = chunk_sizes(chosen.batch_size or max(translator.options.batch_size, (chosen.max_tokens or 0) // 16))
    feed = Feed(reader.chunks(sizes, patient=is_file), layout, avoid=chosen.avoid)
    results = translator.translate_chunks(feed, n_best=n_best, **keywords)
    watched = not chosen.quiet and is_watched(output_is_file=target is not None)
    in_sentences = translator.options.split_sentences if chosen.split_sentences is None else chosen.split_sentences
    progress = TranslationProgress(unit="line" if in_sentences else "sentence")
    output = Output(target, keep_returns=layout.copies)
    try:
        with output, Bar("translating", total=reader.size) if watched else nullcontext() as bar:
            for translations in results:
                output.write(feed.lines(translations))
                progress.add(feed.translated(translations), seconds=feed.seconds())
                if page is not None:
                    page.add(feed.texts(), translations)
                if bar is not None:
                    bar.show(reader.bytes_taken, progress.figures())
    except BaseException:
        warn(PROGRAM, output.kept())
        raise
    if page is not None:
        page.write()
    if not chosen.quiet:
        say(f"{PROGRAM}: {progress.summary()}")


def _page(path: Path | None) -> PageOfAlignments | None:
    if path is None:
        return None
    from seq2seq.cli.alignment_page import PageOfAlignments

    return PageOfAlignments(path)


if __name__ == "__main__":
    sys.exit(main())
