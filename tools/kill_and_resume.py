"""Train a recipe twice, once left alone and once killed with SIGKILL at random moments, and compare the final weights.

    python tools/kill_and_resume.py recipes/en-fr.yaml training.epochs=2 [--kills 3] [--seed 1]

Both runs are new ones in a temporary folder. Leaves with 0 if all stored tensors are equal to the last bit, else 1.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from seq2seq.model_directory import read_weights

FILES = ("weights.safetensors", "training/checkpoint.safetensors")


def _start(recipe: str, overrides: Sequence[str], folder: Path, name: str) -> subprocess.Popen[bytes]:
    command = "import sys; from seq2seq.cli.train import main; sys.exit(main())"
    own = [f"run.directory={folder}", f"run.name={name}", "evaluation.after_training=false"]
    return subprocess.Popen(
        [sys.executable, "-c", command, recipe, *overrides, *own, "training.checkpoint_minutes=0.05"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1, help="of the moments of killing")
    arguments = parser.parse_intermixed_args(argv)
    moments = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="seq2seq-kill-") as name:
        folder = Path(name)
        began = time.monotonic()
        if _start(arguments.recipe, arguments.overrides, folder, "whole").wait() != 0:
            print("the undisturbed run failed; try it with seq2seq-train", file=sys.stderr)
            return 1
        whole = time.monotonic() - began
        print(f"undisturbed: {whole:.1f} s", flush=True)
        for _ in range(arguments.kills):
            process = _start(arguments.recipe, arguments.overrides, folder, "killed")
            moment = moments.uniform(0.1, 0.6) * whole
            try:
                process.wait(moment)
                print("the run ended before it was killed")
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                print(f"killed after {moment:.1f} s", flush=True)
        if _start(arguments.recipe, arguments.overrides, folder, "killed").wait() != 0:
            print("the killed run did not continue", file=sys.stderr)
            return 1
        differing = 0
        for file in FILES:
            expected, actual = (read_weights(folder / run / file)[0] for run in ("whole", "killed"))
            unequal = [key for key in expected if key not in actual or not torch.equal(expected[key], actual[key])]
            differing += len(unequal) + len(actual.keys() - expected.keys())
            print(f"{file}: {len(expected)} tensors, {len(unequal)} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
