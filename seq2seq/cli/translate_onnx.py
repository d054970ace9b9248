"""seq2seq-translate-onnx: lines in, their translations out, by an exported model and without torch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from seq2seq.cli.arguments import ArgumentParser, count, not_negative
from seq2seq.cli.failure import run, say
from seq2seq.cli.progress import Clock, warn
from seq2seq.cli.reading import chunk_sizes, file_or_stream, open_reader
from seq2seq.cli.writing import Output, check_output

PROGRAM = "seq2seq-translate-onnx"

_DESCRIPTION = """\
Translate lines with a model that seq2seq-export --format onnx wrote: n lines in give n lines out, in order.

It needs numpy, onnxruntime and sentencepiece alone, and gives the text that seq2seq-translate gives with --precision
fp32. Only \\n ends a line. What is not UTF-8 is replaced by U+FFFD, and the command says so at its end."""

_EXAMPLES = """\
examples:
  echo 'Where is the station?' | seq2seq-translate-onnx --model en-fr-onnx
  seq2seq-translate-onnx --model en-fr-onnx --beam 1 -i input.en -o output.fr"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return run(PROGRAM, lambda: _translate(arguments))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog=PROGRAM, usage=f"{PROGRAM} --model DIR [options]", description=_DESCRIPTION, epilog=_EXAMPLES
    )
    group = parser.add_argument_group("input and output")
    group.add_argument(
        "-i",
        "--input",
        "--src",
        metavar="FILE",
        type=Path,
        help="text to translate, plain or gz, one sentence per line; - is stdin (default: stdin)",
    )
    group.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="file for the translations, compressed if its name ends in .gz; written as FILE.partial and renamed when "
        "complete; - is stdout (default: stdout)",
    )
    group = parser.add_argument_group("model")
    group.add_argument(
        "-m", "--model", metavar="DIR", type=Path, required=True, help="the folder of the exported model"
    )
    group.add_argument("--threads", metavar="N", type=count, help="CPU threads (default: onnxruntime's choice)")
    group = parser.add_argument_group("search", "By default as the model's recipe said, which translator.json repeats.")
    group.add_argument(
        "-b",
        "--beam",
        "--beam-size",
        metavar="N",
        type=count,
        help="hypotheses kept per sentence; 1 is greedy search",
    )
    group.add_argument(
        "--length-penalty",
        "--lenpen",
        "--alpha",
        metavar="X",
        type=not_negative,
        help="a hypothesis of n pieces, end included, scores log p / n^X; 0 is log p",
    )
    group.add_argument("--max-length", metavar="N", type=count, help="pieces of a translation at most")
    group.add_argument(
        "--batch-size", metavar="N", type=count, help="sentences translated together; changes speed and memory only"
    )
    parser.add_general_options(quiet="say nothing on stderr but warnings and errors")
    return parser


def _translate(arguments: Sequence[str] | None) -> None:
    chosen = _parser().parse_args(arguments)
    source, target = file_or_stream(chosen.input), file_or_stream(chosen.output)
    if target is not None:
        check_output(target, inputs=[source])
    with open_reader(source) as reader:  # it reads while the model loads
        from seq2seq.runtime import OnnxTranslator

        translator = OnnxTranslator.load(chosen.model, threads=chosen.threads)
        chunks = reader.chunks(
            chunk_sizes(chosen.batch_size or translator.settings.batch_size),
            patient=source is not None and source.is_file(),
        )
        clock = Clock(chunks)
        results = translator.translate_chunks(
            clock,
            beam=chosen.beam,
            length_penalty=chosen.length_penalty,
            max_length=chosen.max_length,
            batch_size=chosen.batch_size,
        )
        output, seconds = Output(target), 0.0
        try:
            with output:
                for translations in results:
                    output.write(translations)
                    seconds += clock.seconds()
        except BaseException:
            warn(PROGRAM, output.kept())
            raise
        finally:
            warn(PROGRAM, reader.invalid.message())
    if not chosen.quiet:
        rate = f"{output.lines / seconds:.1f}" if seconds else "-"
        lines = f"{output.lines} line{'s' * (output.lines != 1)}"
        say(f"{PROGRAM}: model {chosen.model}: {lines} in {seconds:.1f} s, {rate} lines/s")


if __name__ == "__main__":
    sys.exit(main())
