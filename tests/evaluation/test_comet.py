"""COMET through a module of the same calls, whose model counts words: scores and tests by hand, and what is missing."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
from pathlib import Path

import pytest

from seq2seq.errors import CorpusError, ModelError, UsageError
from seq2seq.evaluation import Scoring
from seq2seq.evaluation.comet import Comet, comet_compare, comet_score
from tests.evaluation.fake_comet import FakeComet

SOURCES = ["le chat", "le chien dort", "", "oui"]
REFERENCES = ["the cat", "the dog sleeps well", "no one", "yes"]
HYPOTHESES = ["the cat", "the dog", "no", "no"]  # 1, 1/2, 1/2 - 0.1, 0


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeComet:
    package = FakeComet(tmp_path)
    monkeypatch.setitem(sys.modules, "comet", package)
    version = importlib.metadata.version
    known = {"unbabel-comet": "2.2.7"}
    monkeypatch.setattr("importlib.metadata.version", lambda name: known.get(name) or version(name))
    return package


def test_the_mean_over_sentences_times_100(package: FakeComet, capsys: pytest.CaptureFixture[str]) -> None:
    score = comet_score(Comet(), HYPOTHESES, SOURCES, [REFERENCES])
    assert score.value == pytest.approx(100 * (1 + 0.5 + 0.4 + 0) / 4)
    assert (score.metric, score.name, score.mean, score.half_width) == ("comet", "COMET", None, None)
    assert score.signature == "model:Unbabel/wmt22-comet-da|nrefs:1|scale:100|version:2.2.7"
    [(samples, options)] = package.model.asked
    assert samples[1] == {"src": "le chien dort", "mt": "the dog", "ref": "the dog sleeps well"}
    assert options == {"batch_size": 16, "gpus": 0, "devices": None, "progress_bar": False}
    # What the package prints does not get between the figures.
    assert capsys.readouterr().out == ""


def test_a_gpu_and_its_number_are_passed_on(package: FakeComet) -> None:
    comet_score(Comet(gpus=1, devices=[3], batch_size=4, progress=True), HYPOTHESES, SOURCES, [REFERENCES])
    assert package.model.asked[0][1] == {"batch_size": 4, "gpus": 1, "devices": [3], "progress_bar": True}


def test_several_references_give_their_mean(package: FakeComet) -> None:
    others = ["the cat", "a dog", "none", "no"]  # 1, 1/2, -0.1, 1
    score = comet_score(Comet(), HYPOTHESES, SOURCES, [REFERENCES, others])
    assert score.value == pytest.approx(100 * (1.9 + 2.4) / 8)
    assert "|nrefs:2|" in score.signature


def test_nothing_is_scored_twice(package: FakeComet) -> None:
    scoring = Scoring(metrics=("comet",), comet=Comet())
    (whole,) = scoring.score(HYPOTHESES, [REFERENCES], sources=SOURCES)
    parts = scoring.score_parts(HYPOTHESES, [REFERENCES], {"first": [1, 0], "last": [3]}, sources=SOURCES)
    assert [part.scores[0].value for part in parts] == pytest.approx([75.0, 0.0])
    assert whole.value == pytest.approx(47.5)
    assert len(package.model.asked) == 1
    assert len(package.loaded) == 1
    scoring.score(["the cat", "a cat", "the cat"], [["the cat"] * 3], sources=["le chat"] * 3)
    assert package.model.asked[1][0] == [{"src": "le chat", "mt": "a cat", "ref": "the cat"}]


def test_confidence(package: FakeComet) -> None:
    score = comet_score(Comet(), HYPOTHESES[:1] * 9, SOURCES[:1] * 9, [REFERENCES[:1] * 9], resamples=20)
    assert (score.mean, score.half_width) == (pytest.approx(100.0), pytest.approx(0.0))
    assert score.signature.endswith("|nrefs:1|bs:20|seed:12345|scale:100|version:2.2.7")


@pytest.mark.parametrize(("test", "expected"), [("bootstrap", 1 / 31), ("randomization", 1 / 41)])
def test_systems_are_tested_against_the_first(package: FakeComet, test: str, expected: float) -> None:
    sources, references = ["x"] * 12, [["a b"] * 12]
    systems = {"one": ["a"] * 12, "two": ["a b"] * 12, "copy": ["a"] * 12}
    one, two, copy = comet_compare(Comet(), systems, sources, references, test=test, resamples=30, trials=40)  # type: ignore[arg-type]
    assert [score.value for score in (one, two, copy)] == pytest.approx([50.0, 100.0, 50.0])
    # Every sentence is better by the same, so no resample has a difference larger than the one observed; nor has any
    # trial but those in which all sentences stay or all change sides, and these have the same.
    assert (one.p_value, two.p_value, copy.p_value) == (None, pytest.approx(expected), 1.0)
    assert two.half_width == pytest.approx(0.0)
    assert {"bootstrap": "|bs:30|", "randomization": "|ar:40|bs:30|"}[test] in two.signature


def test_beside_other_metrics_in_the_order_asked_for(package: FakeComet) -> None:
    scoring = Scoring(metrics=("comet", "chrf"), lowercase="both", comet=Comet())
    names = ["COMET", "chrF2", "lowercased chrF2"]
    assert [score.name for score in scoring.score(HYPOTHESES, [REFERENCES], sources=SOURCES)] == names
    systems = {"one": HYPOTHESES, "two": REFERENCES}
    for part in scoring.compare(systems, [REFERENCES], sources=SOURCES):
        assert [score.name for score in part.scores] == names
        assert all(score.half_width is not None for score in part.scores)
    (alone,) = Scoring(metrics=("comet",), comet=Comet()).compare(systems, [REFERENCES], sources=SOURCES)[0].scores
    assert alone.value == pytest.approx(47.5)


def test_a_checkpoint_or_its_folder(package: FakeComet, tmp_path: Path) -> None:
    checkpoint = tmp_path / "wmt22-comet-da" / "checkpoints" / "model.ckpt"
    other = tmp_path / "mine.ckpt"
    other.write_bytes(b"weights")
    package.online = False
    signatures = []
    for path in (checkpoint, tmp_path / "wmt22-comet-da", other):
        comet = Comet(model=str(path))
        comet.load()
        signatures.append(comet.signature(references=1).partition("|")[0])
    assert package.loaded == [str(checkpoint), str(checkpoint), str(other)]
    assert signatures == ["model:wmt22-comet-da", "model:wmt22-comet-da", "model:mine"]


def test_a_model_that_is_not_there_is_one_sentence(package: FakeComet, tmp_path: Path) -> None:
    package.online = False
    with pytest.raises(
        ModelError,
        match=r"COMET's model Unbabel/wmt22-comet-da is not on this machine and cannot be fetched "
        r"\(Model 'Unbabel/wmt22-comet-da' not supported by COMET\); name a checkpoint that is here with --comet-model",
    ):
        Comet().load()
    with pytest.raises(ModelError, match=r"there is no COMET model \./none/model\.ckpt; name a checkpoint, its folder"):
        Comet(model="./none/model.ckpt")
    with pytest.raises(ModelError, match=r"has no COMET model: there is no checkpoints/model\.ckpt in it"):
        Comet(model=str(tmp_path))
    (tmp_path / "broken.ckpt").write_bytes(b"")
    with pytest.raises(
        ModelError, match=r"cannot be loaded from .*broken\.ckpt: hparams\.yaml file is missing from there!$"
    ):
        Comet(model=str(tmp_path / "broken.ckpt")).load()


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "comet", None)
    with pytest.raises(
        UsageError, match=r"the metric comet needs the package unbabel-comet: pip install 'seq2seq-toolkit\[comet\]'"
    ):
        Comet()


def test_another_package_of_that_name_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    monkeypatch.setitem(sys.modules, "comet", types.ModuleType("comet"))
    with pytest.raises(UsageError, match=r"the package comet that is installed is not unbabel-comet"):
        Comet()


def test_the_package_does_not_have_all_libraries_talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "comet").mkdir()
    text = "import logging\nlogging.basicConfig(level=logging.INFO)\nload_from_checkpoint = download_model = None\n"
    (tmp_path / "comet" / "__init__.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "comet", raising=False)
    monkeypatch.setattr(logging.root, "handlers", [])
    Comet()
    assert (logging.root.handlers, logging.root.level) == ([], logging.WARNING)
    monkeypatch.delitem(sys.modules, "comet")


def test_sources_are_needed(package: FakeComet) -> None:
    with pytest.raises(CorpusError, match="COMET reads sources too, but there are 0 for 4 hypotheses: give one each"):
        comet_score(Comet(), HYPOTHESES, [], [REFERENCES])
    with pytest.raises(CorpusError, match="there are 4 hypotheses but 3 references"):
        comet_score(Comet(), HYPOTHESES, SOURCES, [REFERENCES[:3]])
