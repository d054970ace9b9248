"""The example of CONTRIBUTING.md, applied to a copy of the package exactly as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

SCRIPT = """
import torch
from seq2seq.build import build_model
from seq2seq.nn.cells.mgu import MGUCell
from seq2seq.nn.cells import CellState
from seq2seq.recipe import load_recipe
from seq2seq.training.run import train
from seq2seq.translator import Translator

torch.set_num_threads(1)
cell = MGUCell(input_size=3, hidden_size=4).double()
assert sum(parameter.numel() for parameter in cell.parameters()) == MGUCell.parameter_count(3, 4) == 64
x, h = torch.randn(2, 3, dtype=torch.float64, requires_grad=True), torch.randn(2, 4, dtype=torch.float64)
assert torch.autograd.gradcheck(lambda x, h: cell.step(cell.project(x), CellState(h)).h, (x, h.requires_grad_()))

cells = ["model.encoder.cell=mgu", "model.decoder.cell=mgu"]
recipe = load_recipe("toy.yaml", cells)
result = train(recipe, stop_after=150)
print(result.best)
print(Translator.load(result.directory).translate("a b c").text)
"""

RECIPE = """
corpus:
  source_language: en
  target_language: xx
  train: [{prefix: train}]
  validation: [{prefix: train}]
  cache: cache
tokenizer: {vocabulary_size: 20, algorithm: char}
model:
  encoder: {hidden_size: 16, embedding_size: 16}
  decoder: {hidden_size: 32, embedding_size: 16}
training: {batch: 128, epochs: 100, validation: {metric: loss, every_updates: 75, sentences: 2},
  optimizer: {learning_rate: 0.01}}
run: {name: toy, tensorboard: false}
"""


def blocks(kind: str) -> list[tuple[str, str]]:
    """Path and text of every fenced block of `kind` whose first line is a comment that names a file."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    return re.findall(rf"^```{kind}\n# (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def apply(change: str, text: str) -> str:
    """Insert the lines marked + after the lines before them, which must be there once."""
    before = "".join(line[1:] + "\n" for line in change.splitlines() if line.startswith(" "))
    after = "".join(line[1:] + "\n" for line in change.splitlines())
    assert text.count(before) == 1, before
    return text.replace(before, after)


def test_adding_a_cell_takes_what_is_written_there(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "seq2seq", tmp_path / "seq2seq", ignore=shutil.ignore_patterns("__pycache__"))
    ((path, text),) = blocks("python")
    assert not (tmp_path / path).exists()
    (tmp_path / path).write_text(text, "utf-8")
    changes = blocks("diff")
    assert len(changes) == 3
    for path, change in changes:
        (tmp_path / path).write_text(apply(change, (tmp_path / path).read_text("utf-8")), "utf-8")
    words = "abcdefg"
    pairs = [f"{a} {b} {c}" for a in words for b in words for c in words]
    (tmp_path / "train.en").write_text("\n".join(pairs) + "\n", "utf-8")
    (tmp_path / "train.xx").write_text("\n".join(pairs) + "\n", "utf-8")
    (tmp_path / "toy.yaml").write_text(RECIPE, "utf-8")
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    loss, translation = finished.stdout.splitlines()
    assert float(loss) < 0.1
    assert translation == "a b c"
