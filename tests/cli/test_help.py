from __future__ import annotations

import re
import subprocess
import sys

import pytest

import seq2seq
from seq2seq.cli import average, benchmark, evaluate, export, score, shortlist, translate, translate_onnx
from seq2seq.recipe import Search

MODULES = {
    "translate": translate,
    "evaluate": evaluate,
    "average": average,
    "score": score,
    "benchmark": benchmark,
    "shortlist": shortlist,
    "export": export,
    "translate_onnx": translate_onnx,
}


@pytest.fixture(params=MODULES.values(), ids=MODULES)
def module(request: pytest.FixtureRequest):
    return request.param


def test_help_names_every_option_with_a_text(module, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        module.main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    for action in module._parser()._actions:
        assert action.help, action.option_strings
        assert all(name in shown for name in action.option_strings)
    assert "examples:" in shown


def test_version(module, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        module.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"{module.PROGRAM} {seq2seq.__version__}\n"


@pytest.mark.parametrize("module", [translate, evaluate], ids=["translate", "evaluate"])
def test_defaults_shown_are_those_of_the_recipe(module) -> None:
    parser = module._parser()
    for action in parser._actions:
        if action.dest in Search.model_fields:
            shown = re.search(r"\[(.*)\]$", action.help)
            assert shown is not None
            default = Search.model_fields[action.dest].default
            names = f"--{'' if default else 'no-'}{action.dest.replace('_', '-')}"
            written = names if isinstance(default, bool) else "none" if default is None else str(default)
            assert shown[1] == written
            assert action.default is None


@pytest.mark.parametrize(
    "line",
    [
        "--beam 3 --length-penalty 0.5 --n-best 2 --batch-size 4 --max-tokens 9 -i a -o b --device cuda:1",
        "--beam-size 3 --lenpen 0.5 --nbest 2 --batch-size 4 --max-tokens 9 --input a --output b --device cuda:1",
        "-b 3 --alpha 0.5 --nbest=2 --batch-size 4 --max-tokens 9 --src a -o b --device cuda:1",
    ],
)
def test_the_names_that_other_toolkits_use(line: str) -> None:
    chosen = translate._parser().parse_args(line.split())
    assert (chosen.beam, chosen.length_penalty, chosen.n_best, chosen.batch_size, chosen.max_tokens) == (
        3,
        0.5,
        2,
        4,
        9,
    )
    assert (str(chosen.input), str(chosen.output), chosen.device) == ("a", "b", "cuda:1")


@pytest.mark.parametrize("command", ["train", *MODULES])
def test_a_command_run_as_a_module_runs(command: str) -> None:
    """And does not end in silence, as a module without its last two lines would."""
    shown = subprocess.run(
        [sys.executable, "-m", f"seq2seq.cli.{command}", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert shown.startswith(f"usage: seq2seq-{command.replace('_', '-')}")
