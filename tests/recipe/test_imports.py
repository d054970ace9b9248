"""Reading a recipe answers at once: nothing heavy is imported for it."""

from __future__ import annotations

import subprocess
import sys


def test_recipes_need_no_heavy_package() -> None:
    heavy = ["torch", "numpy", "datasets", "sentencepiece", "sacrebleu", "rich", "tensorboard"]
    code = f"import sys, seq2seq.recipe; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "[]\n"
