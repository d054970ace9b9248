"""The GPU benchmark where there is none: its arithmetic, rows that fail, and the whole command at toy sizes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from seq2seq.recipe import load_recipe
from seq2seq.training.precision import Precision
from tests.tape import TapeRecorder
from tools.benchmark_gpu import __main__ as command
from tools.benchmark_gpu import searches, updates
from tools.benchmark_gpu.layers import LayerSize, layer_cases
from tools.benchmark_gpu.report import tables
from tools.benchmark_gpu.searches import SearchBench
from tools.benchmark_gpu.timing import Case, Clock, Row, Work, take_turns

CPU = torch.device("cpu")


def case(name: str, prepare: Any) -> Case:
    return Case(table="table", labels={"way": name}, dtype=torch.float32, prepare=prepare)


def test_rates_by_hand() -> None:
    row = Row(case("a", None), seconds=[2.0, 1.0, 4.0], tokens=3000, flops=6e9)
    assert row.tokens_per_second == 1500.0
    assert row.spread == 1.5
    assert row.utilisation(12e9) == 0.25


def test_cases_take_turns_and_failures_cost_nothing() -> None:
    log: list[str] = []

    def fail(error: Exception) -> Work:
        raise error

    def work(name: str, fails_at: int | None = None) -> Work:
        def step() -> None:
            log.append(name)
            if log.count(name) == fails_at:
                raise ValueError("broken\nin two lines")

        return Work(steps=[step], tokens=[5], flops=[7.0], done=lambda: log.append(f"{name} done"))

    cases = [
        case("a", lambda: work("a")),
        case("no memory", lambda: fail(torch.OutOfMemoryError("so many GiB"))),
        case("b", lambda: work("b", fails_at=4)),
    ]
    rows = take_turns(cases, Clock(CPU, budget=60.0), rounds=3, say=lambda text: None)
    assert [row.failure for row in rows] == ["", "out of memory", "ValueError: broken"]
    assert log == ["a", "a", "b", "b", "a", "b", "a", "b", "a", "a done", "b done"]
    assert (len(rows[0].seconds), rows[0].tokens, rows[0].flops) == (3, 5, 7.0)


def test_nothing_is_begun_when_the_time_is_over() -> None:
    rows = take_turns([case("a", None)], Clock(CPU, budget=0.0), rounds=1, say=lambda text: None)
    assert rows[0].failure == "not measured: the time was over"


def test_operations_of_a_layer_by_hand() -> None:
    """Four gates, input 3 and hidden 2: 2 * 4 * 2 * (3 + 2) = 80 a token, three times that with backward."""
    size = LayerSize(input_size=3, hidden_size=2, shortest=4, longest=4)
    works = {each.labels["way"]: each for each in layer_cases(CPU, size, batch=5, dtypes=(torch.float32,))}
    one, both = works["one direction"].prepare(), works["nn.LSTM, packed"].prepare()
    assert one.tokens[0] == both.tokens[0] == 20
    assert one.flops[0] == 240 * 20
    assert both.flops[0] == 2 * 240 * 20


def test_tables() -> None:
    measured = {
        "device": "a GPU", "torch": "2", "cuda": "13", "cudnn": 1, "command": "c", "peaks": {"fp16": 7.9e14},
        "rows": [
            {"table": "layer", "unit": "tokens/s", "way": "one", "tokens_per_second": 1234.5, "spread": 0.01,
             "utilisation": 0.5, "memory_gib": 2.0, "longest_kernel": "persist", "notes": ["a", "b"]},
            {"table": "layer", "unit": "tokens/s", "way": "two", "failure": "out of memory"},
        ],
    }  # fmt: skip
    lines = tables(measured).splitlines()
    assert "| fp16 | 790.0 |" in lines
    assert lines[-2] == "| one | 1,234 | 1.0% | 50.0% | 2.0 | persist | a; b |"
    assert lines[-1] == "| two |  |  |  |  |  | out of memory |"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    assert capsys.readouterr().err == (
        "benchmark_gpu: error: this measures a GPU, and torch finds none here; --device cpu --quick tries the tool at "
        "toy sizes\n"
    )
    assert command.main(["--device", "cpu"]) == 2
    assert command.main(["--quick", "--json", "no/such/folder.json"]) == 2


def test_the_whole_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a tape in place of graphs every row but those of two streams has figures."""
    monkeypatch.setattr(updates, "CudaRecorder", lambda device: TapeRecorder())
    monkeypatch.setattr(searches, "CudaRecorder", lambda device: TapeRecorder())
    monkeypatch.setattr("seq2seq.search.selection.looking_waits", lambda device: True)
    monkeypatch.setattr(Precision, "asynchronous", True)
    monkeypatch.setattr(command, "_HALVES", (torch.bfloat16,))
    json_file, markdown = tmp_path / "gpu.json", tmp_path / "gpu.md"
    assert command.main(["--device", "cpu", "--quick", "--json", str(json_file), "--markdown", str(markdown)]) == 0
    rows = json.loads(json_file.read_text())["rows"]
    failures = {(row["table"], row["way"]): row["failure"] for row in rows if "failure" in row}
    assert failures == {
        ("GNMT v2", "two streams"): "RuntimeError: a CPU has no streams",
        ("layer", "both, two streams"): "RuntimeError: a CPU has no streams",
    }
    assert {row["way"] for row in rows if row["table"] == "Small"} == {"one stream", "CUDA graphs"}
    assert "| bf16 | CUDA graphs | 64 places |" in markdown.read_text()
    for name in ("GNMT v2, beam 2", "Small, beam 2"):
        searched = [row for row in rows if row["table"] == name]
        assert {row["way"] for row in searched} == {"network", "prepared", "CUDA graphs"}
        assert {row["unit"] for row in searched} == {"target tokens/s"}


def test_a_search_has_as_many_tokens_as_its_lengths_say() -> None:
    recipe = load_recipe(str(command._RECIPES / "benchmark-small.yaml"), command._plan(CPU, quick=True).small)
    bench = SearchBench("Small", recipe, CPU, command._plan(CPU, quick=True).multi30k, beam=2)
    [case, *_] = bench.cases((torch.float32,), sentences=5, batches=2)
    work = case.prepare()
    for step, tokens in zip(work.steps, work.tokens, strict=True):
        found = step()
        assert sum(len(best.token_log_probs) for [best] in found) == tokens  # type: ignore[attr-defined]
