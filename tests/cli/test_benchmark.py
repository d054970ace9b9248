from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from seq2seq import searching
from seq2seq.translator import Translator

LINES = ["Where is the station?", "the small dog", "two tickets, please", "bread and milk"]
SPREAD = {"median", "lowest", "highest"}
QUICK = ("--device", "cpu", "--rounds", 2)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text"
    path.write_text("\n\n".join(LINES) + "\n", "utf-8")
    return path


def read(ended: Any) -> dict[str, Any]:
    assert ended.status == 0
    found: dict[str, Any] = json.loads(ended.output)
    return found


def test_a_search_that_stops_sooner_is_named(
    command, small_model: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    scoring_of = searching.scoring_of
    monkeypatch.setattr(searching, "scoring_of", lambda options: asked.append(options.stopping) or scoring_of(options))
    arguments = ("-m", small_model, "-i", text, "--json", "--beam", 2, *QUICK, "--sentences", 2)
    assert read(command("benchmark", *arguments))["precision"] == "fp32"
    assert set(asked) == {"exact"}
    asked.clear()
    assert read(command("benchmark", *arguments, "--stopping", "heuristic"))["precision"] == "fp32, heuristic stopping"
    assert set(asked) == {"heuristic"}


def test_the_report_for_programs(command, small_model: Path, translator: Translator, text: Path) -> None:
    arguments = ("-m", small_model, "-i", text, "--json", "--beam", 2, 1, 2, "--batch-size", 1, 3)
    ended = command("benchmark", *arguments, *QUICK, "--sentences", 3, "--latency-sentences", 2)
    report = read(ended)
    assert list(report) == [
        *("model", "text", "device", "precision", "parameters", "load_seconds", "peak_memory_gib", "rounds"),
        *("throughput", "latency", "machine", "versions"),
    ]
    assert (report["model"], report["text"], report["rounds"]) == (str(small_model), str(text), 2)
    assert (report["device"], report["precision"]) == ("cpu", "fp32")
    assert report["parameters"] == sum(each.numel() for each in translator.model.parameters())
    assert report["load_seconds"] > 0.0
    assert report["machine"]["threads"] == 1
    assert {"torch", "python"} <= set(report["versions"])
    found = report["throughput"]
    assert [(each["beam"], each["batch_size"]) for each in found] == [(2, 1), (2, 3), (1, 1), (1, 3)]
    for each in found:
        best = translator.translate(LINES[:3], beam=each["beam"])
        assert each["sentences"] == 3
        assert each["source_tokens"] == sum(map(len, translator.source_tokenizer.encode(LINES[:3])))
        assert each["target_tokens"] == sum(len(translation.pieces) + translation.finished for translation in best)
        assert len(each["seconds"]) == 2
        rates = [each[f"{name}_per_second"] for name in ("sentences", "source_tokens", "target_tokens")]
        assert all(set(rate) == SPREAD and 0 < rate["lowest"] <= rate["median"] <= rate["highest"] for rate in rates)
        assert rates[0]["highest"] == pytest.approx(3 / min(each["seconds"]), rel=0.02)
        assert rates[1]["median"] / rates[0]["median"] == pytest.approx(each["source_tokens"] / 3, rel=1e-3)
        assert set(each["shares"]) == {"tokenization", "search", "detokenization"}
        assert sum(each["shares"].values()) == pytest.approx(1.0, abs=1e-3)
    assert [(each["beam"], each["sentences"]) for each in report["latency"]] == [(2, 2), (1, 2)]
    for each in report["latency"]:
        for times in (each["milliseconds"], each["search_milliseconds"]):
            assert list(times) == ["mean", "p50", "p95", "p99", "highest"]
            assert 0.0 < times["p50"] <= times["p95"] <= times["p99"] <= times["highest"]
        assert each["search_milliseconds"]["p50"] < each["milliseconds"]["p50"]
    said = ended.said.splitlines()
    assert said[0].startswith(f"seq2seq-benchmark: model {small_model} (--model) on cpu")
    assert [line.split(": ")[1] for line in said[1:]] == ["warming up", "round 1 of 2", "round 2 of 2"]


def test_the_report_for_people(command, small_model: Path, text: Path) -> None:
    ended = command("benchmark", "-m", small_model, small_model, "-i", text, *QUICK, "--quiet")
    assert (ended.status, ended.said) == (0, "")
    assert ended.lines[0].startswith(f"{small_model} + {small_model}: ")
    assert f"{text}: 2 rounds, median (lowest to highest)" in ended.lines
    assert "one sentence at a time, in ms: 4 sentences in 2 rounds" in ended.lines
    tables = [[cell.strip() for cell in line.strip("|").split("|")] for line in ended.lines if line.startswith("|")]
    assert [row[0] for row in tables] == ["beam", "---:", "1", "5", "beam", "---:", "1", "5"]
    assert tables[2][:3] == ["1", "8", "4"]  # the batch size of the recipe
    assert tables[4][1:4] == ["p50", "p95", "p99"]
    widths = [len(line) for line in ended.lines if line.startswith("|")]
    assert len(set(widths[:4])) == len(set(widths[4:])) == 1


def test_without_text(command, small_model: Path) -> None:
    arguments = ("-m", small_model, "--synthetic", 3, 9, "--json", *QUICK)
    report = read(command("benchmark", *arguments, "--sentences", 5, "--beam", 1, "--latency-sentences", 0))
    assert report["text"] == "synthetic sentences of 3, 9 pieces"
    [found] = report["throughput"]
    assert (found["sentences"], found["source_tokens"]) == (5, 3 + 9 + 3 + 9 + 3)
    assert found["shares"]["search"] > 0.5
    assert report["latency"] == []


def test_the_text_of_the_recipe(command, small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for language in ("en", "fr"):
        (tmp_path / f"valid.{language}").write_text("bread\nmilk\n")
    monkeypatch.chdir(tmp_path)
    copied = shutil.copytree(small_model, tmp_path / "model")
    arguments = ("-m", copied, "--json", *QUICK, "--beam", 1, "--latency-sentences", 0)
    report = read(command("benchmark", *arguments))
    assert (report["text"], report["throughput"][0]["sentences"]) == ("valid", 2)
    (tmp_path / "valid.en").unlink()
    assert command("benchmark", *arguments).error == (
        "the text of the recipe cannot be used: the corpus valid has no file valid.en and no valid.en.gz; name another "
        "text with --input, or measure without one with --synthetic"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-i", "{here}/missing"], "the input file {here}/missing does not exist"),
        (["-i", "{here}/empty"], "{here}/empty has nothing to translate"),
        (["-i", "{here}/latin"], "{here}/latin, line 1, byte 2"),
        (["-i", "{here}"], "the input file {here} is a folder"),
        (["--beam"], "argument -b/--beam/--beam-size: expected at least one argument"),
        (["--beam", "1", "0"], "--beam-size: must be a whole number of 1 or more, not '0'"),
        (["--rounds", "0"], "--rounds: must be a whole number of 1 or more, not '0'"),
        (["--latency-sentences", "-1"], "argument --latency-sentences: must be a whole number of 0 or more, not '-1'"),
        (["--synthetic", "41"], "--synthetic 41 is more than the 40 pieces read at once"),
        (["--synthetic", "4", "--input", "x"], "argument -i/--input/--src: not allowed with argument --synthetic"),
        (["--precision", "fp16"], "precision fp16 needs a GPU"),
        (["--weights", "1"], "--weights is for an ensemble"),
        (["--batch", "3"], "there is no option --batch; did you mean --batch-size?"),
    ],
)
def test_bad_input_is_one_sentence(
    command, small_model: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "latin").write_bytes(b"\x65\xe9\n")
    placed = [argument.replace("{here}", str(tmp_path)) for argument in arguments]
    ended = command("benchmark", "-m", small_model, "--device", "cpu", *placed)
    assert message.replace("{here}", str(tmp_path)) in ended.error
