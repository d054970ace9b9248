"""docs/exporting.md: its commands are commands, and its example in Python runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from seq2seq.cli import export, translate, translate_onnx

TEXT = (Path(__file__).parents[1] / "docs" / "exporting.md").read_text("utf-8")
MAINS = {"seq2seq-export": export, "seq2seq-translate": translate, "seq2seq-translate-onnx": translate_onnx}


@pytest.mark.parametrize("line", re.findall(r"^seq2seq-[^<\n]*", TEXT, re.MULTILINE))
def test_every_command_is_one(line: str) -> None:
    program, *arguments = shlex.split(line)
    MAINS[program]._parser().parse_args(arguments)


def test_the_example_in_python(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from seq2seq.export.onnx_model import write_onnx

    write_onnx(small_model, tmp_path / "en-fr-onnx")
    monkeypatch.chdir(tmp_path)
    code = next(
        block for block in re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL) if "Onnx" in block
    )
    exec(compile(code, "docs/exporting.md", "exec"), {})
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == 5
    assert [bool(line) for line in lines] == [True, True, False, True, False]
