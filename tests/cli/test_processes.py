from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import pytest

from seq2seq.translator import Translator


def start(name: str, *arguments: object, **options: object) -> subprocess.Popen[bytes]:
    # A shell's job in the background ignores interrupts, and so would all that is started by it.
    interrupts = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{interrupts}; import sys; from seq2seq.cli.{name} import main; sys.exit(main())"
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        **options,
    )


def line_in_time(stream: IO[bytes], process: subprocess.Popen[bytes]) -> str:
    """The next line; a process that gives none in a minute is ended, so that the test fails and does not hang."""
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        return stream.readline().decode()
    finally:
        timer.cancel()


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_a_line_is_translated_before_the_next_is_written_and_an_interrupt_ends_the_waiting(
    small_model: Path, translator: Translator
) -> None:
    with start("translate", "--model", small_model, "--beam", 2, "--device", "cpu") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in ["Where is the station?", "été 😀", "the small dog"]:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
            found = line_in_time(process.stdout, process)
            assert found == translator.translate(line, beam=2).text + "\n"
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)
    assert (process.returncode, rest) == (130, b"")
    assert said.decode().splitlines()[1:] == ["seq2seq-translate: interrupted"]


def test_a_pair_is_scored_before_the_next_is_written(small_model: Path, translator: Translator) -> None:
    with start("score", "--model", small_model, "--device", "cpu", "-q") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for source, target in [
            ("Where is the station?", "Où est la gare ?"),
            ("été 😀", ""),
            ("the small dog", "chien"),
        ]:
            process.stdin.write(f"{source}\t{target}\n".encode())
            process.stdin.flush()
            found = line_in_time(process.stdout, process)
            assert float(found) == pytest.approx(translator.score(source, target).score, abs=1e-3)
        process.stdin.close()
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize(("name", "options"), [("translate", ["--beam", 1]), ("score", [])])
def test_a_reader_that_has_had_enough_ends_the_command_quietly(
    small_model: Path, name: str, options: list[object]
) -> None:
    with start(name, "-m", small_model, *options, "--batch-size", 1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"dog\t\n")
        process.stdin.flush()
        assert line_in_time(process.stdout, process)
        process.stdout.close()
        process.stdin.write(b"dog\t\n" * 9)
        process.stdin.close()
        process.wait(timeout=60)
        assert process.stderr is not None
        said = process.stderr.read().decode().splitlines()
    assert process.returncode == 141
    assert len(said) == 1
    assert ": model " in said[0]


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("translate", ["-i", "text", "-o", "output"]),
        ("score", ["-i", "text", "--ref", "text", "-o", "output"]),
        ("score", []),
        ("evaluate", ["-i", "text", "--ref", "text", "-o", "output"]),
        ("benchmark", ["--synthetic", 30, "--rounds", 10_000]),
    ],
)
def test_an_interrupt_ends_a_command_at_work_or_waiting(
    small_model: Path, tmp_path: Path, name: str, options: list[object]
) -> None:
    (tmp_path / "text").write_text("Where is the small dog?\n" * 200_000)
    (tmp_path / "output").write_text("precious")
    with start(name, "-m", small_model, "--device", "cpu", *options, cwd=tmp_path) as process:
        assert process.stderr is not None
        assert ": model " in line_in_time(process.stderr, process)
        process.send_signal(signal.SIGINT)
        output, said = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, b"")
    assert said.decode().splitlines()[-1] == f"seq2seq-{name}: interrupted"
    assert "Traceback" not in said.decode()
    assert (tmp_path / "output").read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("evaluate", ["--hypotheses", "text", "--ref", "text"]),
        ("evaluate", ["--hypotheses", "text", "--ref", "text", "--json"]),
        ("benchmark", ["--quiet", "--synthetic", 5, "--sentences", 2, "--rounds", 1]),
    ],
)
def test_a_report_that_nobody_reads_ends_the_command_quietly(
    small_model: Path, tmp_path: Path, name: str, options: list[object]
) -> None:
    (tmp_path / "text").write_text("Where is the small dog?\n")
    model = ["-m", small_model, "--device", "cpu"] if name == "benchmark" else []
    with start(name, *model, *options, cwd=tmp_path) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=60) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.parametrize("name", ["translate", "evaluate", "score", "benchmark"])
def test_help_and_mistakes_answer_before_torch_is_imported(name: str, tmp_path: Path) -> None:
    arguments = [["--help"], ["--version"], ["--beam", "0"], ["--model", str(tmp_path / "missing")], []]
    code = f"""
import io, sys
sys.stdin = io.TextIOWrapper(io.BytesIO(b""))
from seq2seq.cli.{name} import main
for arguments in {arguments!r}:
    try:
        print(main(arguments), flush=True)
    except SystemExit as end:
        print(end.code, flush=True)
print(sorted({{"torch", "datasets", "sacrebleu", "sentencepiece"}} & set(sys.modules)))
"""
    environment = {key: value for key, value in os.environ.items() if key != "SEQ2SEQ_MODEL"}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=True
    )
    said = ended.stdout.decode().splitlines()
    assert said[-1] == "[]"
    assert [line for line in said if line.isdigit()] == ["0", "0", "2", "2", "2"]
    assert len(ended.stderr.decode().splitlines()) == 3


#: What a translation has no use for: other commands' work, and parts of torch that take seconds to import.
UNNEEDED = [
    "datasets",
    "sacrebleu",
    "matplotlib",
    "tensorboard",
    "rich",
    "pandas",
    "pyarrow",
    "sympy",
    "torch._dynamo",
    "torch._inductor",
    "torch.onnx",
    "seq2seq.training",
    "seq2seq.evaluation",
    "seq2seq.comparison",
    "seq2seq.plots",
    "seq2seq.benchmark",
    "seq2seq.held_out",
    "seq2seq.cli.alignment_page",
    "seq2seq.text.sampling",
]


def test_a_line_is_translated_without_importing_what_it_does_not_need(small_model: Path) -> None:
    code = f"""
import gc, io, sys
sys.stdin = io.TextIOWrapper(io.BytesIO(b"the small dog\\n"))
from seq2seq.cli.translate import main
assert main(["-m", {str(small_model)!r}, "-q", "--device", "cpu"]) == 0
print(gc.isenabled(), gc.get_freeze_count() > 100_000)
print(*sys.modules)
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True).stdout.decode()
    _, collected, modules = shown.splitlines()
    assert collected == "True True"  # after the import of torch garbage is collected again, but not looked for in it
    parts = [name.split(".") for name in modules.split()]
    imported = {".".join(each[:end]) for each in parts for end in range(1, len(each) + 1)}
    assert "torch" in imported
    assert sorted(imported & set(UNNEEDED)) == []
