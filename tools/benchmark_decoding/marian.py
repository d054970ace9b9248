r"""Train Marian's nearest relative of the network of recipes/benchmark-small.yaml, over its pieces.

    python -m tools.benchmark_decoding.marian --environment venvs/marian --tokenizer runs/small/source.spm \
        --train data/multi30k/train.en data/multi30k/train.fr --output work/marian-512 --minutes 20

Marian cannot take the network's weights: its s2s model attends by a layer of tanh and not by a bilinear form, starts
from the mean of the encoder, begins a sentence with an embedding of zeros, and has one width for the encoder's
directions and the decoder. Its cells can be LSTMs, and with one cell for two (`--dec-cell-base-depth 1`) nothing is
fed back. So `--size 512` is a decoder of the same width with twice the encoder, `--size 256` the same encoder with
half the decoder: the network's sizes lie between the two. Its readout is as wide as its embeddings, so its output layer
is half of the network's, or with `--embedding 512` the same. Speed depends on training by the length of translations
alone; a short training has a lower BLEU, which the table of tools/benchmark_decoding shows.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy

from seq2seq.cli import failure
from seq2seq.errors import UsageError
from seq2seq.storage import write_atomically

PROGRAM = "benchmark_decoding.marian"
#: Seconds that Marian has for saving when it is told to stop.
_SAVING = 120.0


def command_of(
    *, python: Path, train: Sequence[Path], output: Path, size: int, embedding: int, threads: int, seed: int
) -> list[str]:
    """Marian's command line."""
    vocabulary = str(output / "pieces.spm")
    return [
        *(str(python), "-m", "pymarian"),
        *("--type", "s2s", "--enc-cell", "lstm", "--dec-cell", "lstm", "--dec-cell-base-depth", "1"),
        *("--dim-emb", str(embedding), "--dim-rnn", str(size)),
        *("--train-sets", *map(str, train), "--vocabs", vocabulary, vocabulary),
        *("--model", str(output / "model.npz"), "--overwrite", "--save-freq", "100u", "--disp-freq", "20u"),
        *("--mini-batch", "128", "--mini-batch-words", "2000", "--maxi-batch", "100", "--max-length", "100"),
        *("--optimizer", "adam", "--learn-rate", "0.001", "--clip-norm", "1", "--cost-type", "ce-mean-words"),
        *("--label-smoothing", "0.1", "--dropout-rnn", "0.2", "--seed", str(seed), "--tempdir", str(output)),
        *("--cpu-threads", str(threads), "--data-threads", "1", "--workspace", "2000", "--log", str(output / "log")),
    ]


def train_for(command: Sequence[str], *, minutes: float, threads: int) -> None:
    """Train for some minutes, then let Marian save and leave. Raises UsageError when it ends by itself."""
    environment = os.environ | {"OMP_NUM_THREADS": "1" if threads > 1 else str(threads)}
    process = subprocess.Popen(command, env=environment, stdout=sys.stderr)
    try:
        status = process.wait(timeout=60.0 * minutes)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=_SAVING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return
    except KeyboardInterrupt:
        process.terminate()
        raise
    raise UsageError(f"Marian ended with status {status} before its time; see what it printed above")


def _train(arguments: argparse.Namespace) -> None:
    python = arguments.environment / "bin" / "python"
    for path in (python, arguments.tokenizer, *arguments.train):
        if not path.exists():
            raise UsageError(f"{path} does not exist")
    output = arguments.output.resolve()
    if (output / "model.npz").exists() and not arguments.more:
        raise UsageError(f"{output} has a model; name another --output, or train it further with --more")
    output.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(arguments.tokenizer, output / "pieces.spm")
    command = command_of(
        python=python.absolute(),
        train=[path.resolve() for path in arguments.train],
        output=output,
        size=arguments.size,
        embedding=arguments.embedding,
        threads=arguments.threads,
        seed=arguments.seed,
    )
    train_for(command, minutes=arguments.minutes, threads=arguments.threads)
    if not (output / "model.npz").exists():
        raise UsageError(f"Marian saved no model in {arguments.minutes:g} minutes; give it more with --minutes")
    with numpy.load(output / "model.npz") as arrays:
        parameters = sum(arrays[name].size for name in arrays if not name.startswith("special:"))
    detail = (
        f"s2s of LSTMs, one cell, {arguments.size} units, embeddings and readout of {arguments.embedding}, additive "
        f"attention, {parameters:,} parameters of its own"
    )
    write_atomically(output / "detail.json", (json.dumps({"detail": detail}) + "\n").encode())
    failure.say(f"{PROGRAM}: the model is in {output}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog=f"python -m tools.{PROGRAM}", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--environment", type=Path, required=True, help="virtual environment with pymarian")
    parser.add_argument("--tokenizer", type=Path, required=True, help="source.spm of the run it is compared with")
    parser.add_argument("--train", type=Path, nargs=2, required=True, metavar=("SOURCE", "TARGET"), help="plain text")
    parser.add_argument("--output", type=Path, required=True, help="folder of the model")
    parser.add_argument("--size", type=int, default=512, help="units of the decoder, and of each encoder direction")
    parser.add_argument("--embedding", type=int, default=256)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--more", action="store_true", help="go on with the model of an earlier training")
    arguments = parser.parse_args(argv)
    return failure.run(PROGRAM, lambda: _train(arguments))


if __name__ == "__main__":
    sys.exit(main())
