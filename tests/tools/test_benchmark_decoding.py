from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from seq2seq.benchmark.figures import Spread
from seq2seq.errors import CorpusError, UsageError
from tests.conftest import SENTENCES, save_small_model
from tests.tools.test_decoding_conversion import NETWORK
from tools.benchmark_decoding.__main__ import keywords_of, main, read_text
from tools.benchmark_decoding.environments import REQUIREMENTS, TOOLKITS, commands_of
from tools.benchmark_decoding.marian import command_of
from tools.benchmark_decoding.measuring import Figures, Plan, measure
from tools.benchmark_decoding.report import Circumstances, as_dict, markdown
from tools.benchmark_decoding.worker import Contender, Worker, WorkerError

LINES = [f"a line about {name} and more than four words" for name in ("cats", "dogs", "cows", "birds")]


def fake(name: str, *, ours: bool = False, same_weights: bool = True, **settings: Any) -> Contender:
    command = (sys.executable, "-m", "tests.tools.fake_worker")
    given = {"best": 16, "seconds": 0.25, **settings}
    return Contender(name, command, given, ours=ours, same_weights=same_weights)


def race(contenders: list[Contender], logs: Path, *, rounds: int = 2) -> tuple[list[Figures], list[str]]:
    plan = Plan(
        lines=LINES,
        beams=[5, 1],
        batch_sizes=[4, 8, 16, 32, 64, 128],
        rounds=rounds,
        threads=1,
        latency_lines=LINES[:2],
        latency_beam=5,
        logs=logs,
    )
    said: list[str] = []
    return measure(contenders, plan, between=lambda: said.append("between"), say=said.append), said


def report_on(found: list[Figures]) -> dict[str, Any]:
    circumstances = Circumstances(
        command="the command",
        date="2026-01-31",
        model="runs/small",
        text="text.en",
        sentences=len(LINES),
        rounds=2,
        threads=1,
        latency_beam=5,
        latency_sentences=2,
        machine={"machine": {"processor": "Abacus", "cores": 2}, "versions": {"python": "3.1", "torch": "2.7"}},
        peaks={"fp32": Spread(200.0, 190.0, 210.0)},
    )
    return as_dict(found, LINES, circumstances)


def test_best_batch_size_and_turns(tmp_path: Path) -> None:
    found, said = race([fake("ours, fast", ours=True), fake("Other", best=64, seconds=0.5)], tmp_path)
    assert [each.absent for each in found] == [None, None]
    # 1 / (0.25 s * 5) is 0.8 sentences per second at the best size; three sizes away from it, a quarter of that.
    first = found[0].beams[5]
    assert first.tried == pytest.approx({4: 0.8 / 3, 8: 0.4, 16: 0.8, 32: 0.4, 64: 0.8 / 3})  # two slower ones: enough
    assert (first.batch_size, found[1].beams[1].batch_size) == (16, 64)
    assert first.seconds == pytest.approx([5.0, 5.0])
    assert found[1].beams[1].seconds == pytest.approx([2.0, 2.0])
    assert first.tokens == 28
    assert [len(each.milliseconds) for each in found] == [4, 4]
    assert all(0.0 < each < 60_000.0 for each in found[0].milliseconds)
    assert said.count("between") == 3  # before each round, and after the last
    assert said[-2] == "round 2 of 2: ours, fast 0.8, Other 0.4 sentences/s with beam 5"
    assert found[0].versions == {"Fake": "1.2"}
    assert found[0].start_seconds > 0.0
    peaks = first.peaks_mib
    assert len(peaks) == 2
    assert all(5.0 < peak < 500.0 for peak in peaks)  # a Python process without torch


def test_report(tmp_path: Path) -> None:
    found, _ = race(
        [
            fake("ours, fp32", ours=True),
            fake("Slow", seconds=1.0),
            fake("Quick", seconds=0.5, a="e", same_weights=False),
        ],
        tmp_path,
    )
    measured = report_on(found)
    json.dumps(measured)
    ours, slow, quick = measured["contenders"]
    assert ours["beams"]["5"]["sentences_per_second"] == {"median": 0.8, "lowest": 0.8, "highest": 0.8}
    assert slow["beams"]["1"]["tokens_per_second"]["median"] == 7.0
    assert ours["beams"]["5"]["text_ms_per_sentence"] == 1.0
    assert ours["beams"]["5"]["bleu"] == pytest.approx(100.0)
    assert slow["beams"]["5"]["lines_unlike_the_first"] == 0
    assert quick["beams"]["5"]["lines_unlike_the_first"] == 4
    with_beam_5 = [each for each in measured["ratios"] if each["beam"] == 5]
    assert [(each["other"], each["median"]) for each in with_beam_5] == [("Quick", 2.0), ("Slow", 4.0)]
    page = markdown(measured)
    assert "2026-01-31; Abacus, 1 thread on 2 cores; Python 3.1, torch 2.7" in page
    assert "fp32 200 (190 to 210) GFLOP/s" in page
    row = "| Slow | 16 | 100.00 | 0 | 0.2 (0.2 to 0.2) | 1 (1 to 1) | 28 | 1.00 | "
    assert row in page
    assert "| 5 | ours, fp32 | Quick | 2.00 (2.00 to 2.00) |" in page
    assert "| Slow | Fake 1.2 | a formula; the same weights |" in page
    assert "| Quick | Fake 1.2 | a formula |" in page
    assert "beam 5: the BLEU of Quick is -" in page
    assert "the BLEU of Slow" not in page
    assert "tok:13a" in page


def test_who_fails_is_left_out(tmp_path: Path) -> None:
    contenders = [
        fake("ours, fp32", ours=True),
        fake("Absent", imports="nosuchtoolkit"),
        fake("Weak", fails_with_beam=1),
        # 2 warming and 10 searching calls are of the first worker; 2 warm the second, and the next would be measured.
        fake("Mortal", dies_after=3, best=4),
        Contender("Broken", (sys.executable, "-m", "tests.tools.no_such_worker"), {}),
        Contender("Bare", (sys.executable, "-c", "import nosuchlibrary.part"), {}),
        Contender("Nowhere", (str(tmp_path / "bin" / "python"),), {}),
        Contender("Known", ("unused",), {}, absent="not installed: it is known"),
    ]
    found, said = race(contenders, tmp_path)
    reasons = {each.contender.name: each.absent for each in found}
    assert reasons["ours, fp32"] is None
    assert reasons["Absent"] == f"not installed: {sys.executable} has no nosuchtoolkit"
    assert str(reasons["Weak"]).startswith("ValueError: it cannot do that; see ")
    assert str(reasons["Mortal"]).startswith("its worker ended with status 3 (while it translates, too); see ")
    assert str(reasons["Broken"]).startswith("its worker ended with status 1 (")
    assert reasons["Bare"] == f"not installed: {sys.executable} has no nosuchlibrary"
    assert str(reasons["Nowhere"]).endswith("cannot be run (No such file or directory)")
    assert reasons["Known"] == "not installed: it is known"
    assert sum(each.startswith("Absent: ") for each in said) == 1
    assert len(found[0].beams[5].seconds) == 2
    measured = report_on(found)
    assert measured["ratios"] == []
    assert measured["contenders"][1] == {"name": "Absent", "absent": reasons["Absent"]}
    assert f"| Absent |  | {reasons['Absent']} |" in markdown(measured)


def test_nobody_is_left(tmp_path: Path) -> None:
    found, _ = race([fake("Absent", imports="nosuchtoolkit")], tmp_path, rounds=1)
    page = markdown(report_on(found))
    assert "has no nosuchtoolkit" in page


def test_a_worker_keeps_to_the_protocol(tmp_path: Path) -> None:
    with Worker(fake("Fake"), threads=1, log=tmp_path / "log") as worker:
        answer = worker.translate(["a b"], beam=2, batch_size=16)
        assert (answer["text"], answer["seconds"]) == (["a b"], 0.5)
        with pytest.raises(WorkerError, match="KeyError"):
            worker._ask({"do": "translate"})
        assert worker.translate(["c"], beam=1, batch_size=16)["text"] == ["c"]
    printed = (tmp_path / "log").read_text("utf-8")
    assert "a toolkit may print" in printed
    assert "while it translates, too" in printed


def test_settings_of_ours() -> None:
    assert keywords_of("precision=bf16,length_penalty=0.5,split_sentences=true") == {
        "precision": "bf16",
        "length_penalty": 0.5,
        "split_sentences": True,
    }
    for wrong in ("precision", "=fp32", "a b=1", ""):
        with pytest.raises(UsageError, match="give key=value"):
            keywords_of(wrong)


def test_text(tmp_path: Path) -> None:
    source, reference = tmp_path / "en", tmp_path / "fr"
    source.write_text("one\n\n two \nthree\n", "utf-8")
    reference.write_text("un\nvide\ndeux\ntrois\n", "utf-8")
    assert read_text(source, reference, sentences=2) == (["one", " two "], ["un", "deux"])
    reference.write_text("un\n", "utf-8")
    with pytest.raises(CorpusError, match=r"en has 4 lines, but .*fr has 1"):
        read_text(source, reference, sentences=2)
    source.write_text("\n", "utf-8")
    with pytest.raises(CorpusError, match="nothing to translate"):
        read_text(source, reference, sentences=2)


def test_environments() -> None:
    for name, toolkit in TOOLKITS.items():
        make, requirements, itself = commands_of(name, Path("venvs"), python="python3.11")
        assert make == ["python3.11", "-m", "venv", f"venvs/{name}"]
        assert Path(requirements[-1]).is_file()
        assert itself[-2:] == ["--no-deps", toolkit]
    assert {path.stem for path in REQUIREMENTS.iterdir()} == set(TOOLKITS)


def test_training_of_marian() -> None:
    command = command_of(
        python=Path("venv/bin/python"),
        train=[Path("a.en"), Path("a.fr")],
        output=Path("out"),
        size=512,
        embedding=256,
        threads=1,
        seed=7,
    )
    assert command[:3] == ["venv/bin/python", "-m", "pymarian"]
    values = dict(pairwise(command))
    assert (values["--dim-rnn"], values["--dim-emb"], values["--dec-cell-base-depth"]) == ("512", "256", "1")
    assert (values["--enc-cell"], values["--dec-cell"], values["--seed"]) == ("lstm", "lstm", "7")


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = save_small_model(tmp_path / "run", recipe_text=NETWORK)
    (tmp_path / "en").write_text("\n".join(SENTENCES[:3]), "utf-8")
    (tmp_path / "fr").write_text("\n".join(SENTENCES[4:7]), "utf-8")
    arguments = ["--model", str(run), "--input", str(tmp_path / "en"), "--reference", str(tmp_path / "fr")]
    arguments += ["--environments", str(tmp_path / "venvs"), "--work", str(tmp_path / "work")]
    arguments += ["--marian", str(tmp_path / "marian-1"), "--ours", "precision=fp32", "--json", str(tmp_path / "json")]
    arguments += ["--rounds", "1", "--threads", "1", "--batch-sizes", "2", "--latency-sentences", "1"]
    assert main(arguments) == 0
    page = capsys.readouterr().out
    assert page.count("\n| ours, precision=fp32 | 2 | ") == 2  # two beams
    for name in ("OpenNMT-py", "JoeyNMT", "Marian (marian-1)"):
        assert f"| {name} |  | not installed: there is no {tmp_path / 'venvs'}" in page
    measured = json.loads((tmp_path / "json").read_text("utf-8"))
    assert measured["sentences"] == 3
    assert measured["contenders"][0]["beams"]["5"]["tokens"] > 3
    assert (tmp_path / "work" / "opennmt" / "model.pt").is_file()
    assert (tmp_path / "work" / "joey" / "config.yaml").is_file()


def test_what_cannot_be_measured(small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "en").write_text("a\n", "utf-8")
    given = ["--input", str(tmp_path / "en"), "--reference", str(tmp_path / "en"), "--work", str(tmp_path / "work")]
    assert main(["--model", str(tmp_path / "no"), *given]) == 2
    assert main(["--model", str(small_model), *given]) == 2
    assert main(["--model", str(small_model), *given, "--rounds", "0"]) == 2
    assert main(["--model", str(small_model), "--input", str(tmp_path / "no"), "--reference", "x"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line[:26] for line in lines] == ["benchmark_decoding: error:"] * 4
    assert "with model.bridge=final-state, which has" in lines[1]


def test_workers_need_nothing_to_say_so(tmp_path: Path) -> None:
    """Here none of the other toolkits is installed: each worker answers with what is missing, and no traceback."""
    request = json.dumps({"do": "load", "settings": {"threads": 1, "model": str(tmp_path)}}) + "\n"
    for name in ("opennmt", "joey", "marian"):
        done = subprocess.run(
            [sys.executable, "-m", f"tools.benchmark_decoding.workers.{name}"],
            input=request,
            capture_output=True,
            text=True,
            check=True,
        )
        assert set(json.loads(done.stdout)) == {"missing"}
        assert done.stderr == ""
