"""seq2seq-export: a trained model in another form."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from seq2seq.cli.arguments import ArgumentParser
from seq2seq.cli.failure import run, say
from seq2seq.cli.finding import find_model
from seq2seq.errors import UsageError

PROGRAM = "seq2seq-export"

_DESCRIPTION = """\
Write a trained model in another form.

bundle: one file with all that translation needs, which every command and Translator.load take in the place of the model
directory. The same model gives the same bytes; unzip makes a model directory of it.

onnx: a folder with encoder.onnx, decoder_step.onnx, the tokenizers and translator.json, for runtimes without PyTorch;
seq2seq-translate-onnx and seq2seq.runtime translate with it. Before it is written, onnxruntime runs it beside the
network. Needs the extra onnx: pip install 'seq2seq-toolkit[onnx]'."""

_EXAMPLES = """\
examples:
  seq2seq-export --model runs/en-fr --format bundle --output en-fr.s2s
  seq2seq-export --model runs/en-fr --format onnx --output en-fr-onnx"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return run(PROGRAM, lambda: _export(arguments))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog=PROGRAM, usage=f"{PROGRAM} --format FORMAT -o OUT [options]", description=_DESCRIPTION, epilog=_EXAMPLES
    )
    group = parser.add_argument_group("what")
    group.add_argument(
        "-m",
        "--model",
        metavar="DIR",
        type=Path,
        help="model directory, as seq2seq-train writes it, or a bundle (default: $SEQ2SEQ_MODEL, else the newest run "
        "under runs/)",
    )
    group.add_argument("--format", choices=("bundle", "onnx"), required=True, help="bundle or onnx, see above")
    group.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        type=Path,
        required=True,
        help="the file of a bundle, by custom NAME.s2s, or the folder for onnx; must not exist",
    )
    parser.add_general_options(quiet="say nothing on stderr but warnings and errors")
    return parser


def _export(arguments: Sequence[str] | None) -> None:
    chosen = _parser().parse_args(arguments)
    output: Path = chosen.output
    if output.exists():
        raise UsageError(f"the output {output} exists already; name another, or remove it first")
    if not output.absolute().parent.is_dir():
        raise UsageError(f"the folder {output.parent} for the output {output.name} does not exist; make it first")
    if chosen.format == "onnx":
        missing = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
        if missing:
            raise UsageError(
                f"--format onnx needs {' and '.join(missing)}, not installed here; pip install 'seq2seq-toolkit[onnx]'"
            )
    model, reason = find_model(chosen.model)
    if chosen.format == "onnx":
        from seq2seq.export.onnx_model import write_onnx

        difference = write_onnx(model, output)
        checked = f"; on drawn ids onnxruntime differs from the network by {difference:.1g} at most"
    else:
        from seq2seq.export.bundle import write_bundle

        write_bundle(model, output)
        checked = ""
    if not chosen.quiet:
        files = list(output.iterdir()) if output.is_dir() else [output]
        size = sum(file.stat().st_size for file in files) / 1e6
        say(f"{PROGRAM}: model {model} ({reason}) is in {output}, {size:.1f} MB{checked}")


if __name__ == "__main__":
    sys.exit(main())
