"""Scores against figures worked out by hand, and against SacreBLEU's own command."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from seq2seq.errors import CorpusError, UsageError
from seq2seq.evaluation import MetricName, PartScores, Score, compare, report, report_parts, score

HYPOTHESES = ["the cat sat on the mat", "a dog runs fast"]
REFERENCES = ["the cat sat on a mat", "a big dog runs very fast"]

# Forty sentences by a formula; the second system makes fewer mistakes than the first.
SENTENCE = "Le train part de la gare centrale vers midi , puis il arrive à Lyon le soir ."
WORDS = SENTENCE.split()
TRUTH = [" ".join(WORDS[n % 5 : n % 5 + 7 + n % 6]) for n in range(40)]
FIRST = [" ".join(word if (n + k) % 4 else word[::-1] for k, word in enumerate(TRUTH[n].split())) for n in range(40)]
SECOND = [" ".join(word if (n + k) % 7 else word[::-1] for k, word in enumerate(TRUTH[n].split())) for n in range(40)]


def test_bleu_by_hand() -> None:
    # Matches of 1, 2, 3, 4 words: 5 of 6, 3 of 5, 2 of 4, 1 of 3; 4 of 4, 1 of 3, 0 of 2, 0 of 1. 10 words against 12.
    [bleu] = score(HYPOTHESES, REFERENCES, metrics=["bleu"])
    precisions = [9 / 10, 4 / 8, 2 / 6, 1 / 4]
    assert bleu.value == pytest.approx(100 * math.exp(1 - 12 / 10) * math.prod(precisions) ** 0.25)
    assert bleu.details["precisions"] == pytest.approx([100 * precision for precision in precisions])
    assert bleu.details["brevity_penalty"] == pytest.approx(math.exp(-0.2))
    assert bleu.details["length_ratio"] == pytest.approx(10 / 12)


def test_chrf_by_hand() -> None:
    # One, two, three characters: 2 of 3, 1 of 2, 0 of 1, in both directions; longer ones do not exist.
    [chrf] = score(["abc"], ["abd"], metrics=["chrf"])
    assert chrf.value == pytest.approx(100 * (2 / 3 + 1 / 2 + 0) / 3)
    # chrF++ adds words (0 of 1) to the average; there are no pairs of words.
    [chrf] = score(["abc"], ["abd"], metrics=["chrf++"])
    assert chrf.value == pytest.approx(100 * (2 / 3 + 1 / 2 + 0 + 0) / 4)


def test_ter_by_hand() -> None:
    # One substitution and two insertions, of 12 words; in another case all the same.
    for hypotheses in (HYPOTHESES, [line.upper() for line in HYPOTHESES]):
        [ter] = score(hypotheses, REFERENCES, metrics=["ter"])
        assert ter.value == pytest.approx(100 * 3 / 12)


def test_the_best_of_several_references() -> None:
    [one] = score(["the cat sat on the mat"], ["a dog runs very fast now"], metrics=["bleu"])
    [two] = score(
        ["the cat sat on the mat"], [["a dog runs very fast now"], ["the cat sat on the mat"]], metrics=["bleu"]
    )
    assert one.value < 10
    assert two.value == pytest.approx(100)
    assert two.signature.startswith("nrefs:2|")


def test_case_and_tokenization() -> None:
    upper = [line.upper() for line in REFERENCES]
    for metric in ("bleu", "chrf"):
        assert score(upper, REFERENCES, metrics=[metric])[0].value < 20
        [ignored] = score(upper, REFERENCES, metrics=[metric], lowercase=True)
        assert ignored.value == pytest.approx(100)
        assert "case:lc" in ignored.signature
    words, characters = (score(["le train ,"], ["le train,"], tokenize=name)[0] for name in ("none", "char"))
    assert words.value < characters.value
    assert "tok:none" in words.signature
    assert "tok:char" in characters.signature


def test_order_and_names() -> None:
    scores = score(FIRST, TRUTH, metrics=["ter", "chrf++", "bleu", "chrf"])
    assert [entry.metric for entry in scores] == ["ter", "chrf++", "bleu", "chrf"]
    assert [entry.name for entry in scores] == ["TER", "chrF2++", "BLEU", "chrF2"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    for name, lines in (("truth", TRUTH), ("first", FIRST), ("second", SECOND)):
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def sacrebleu(folder: Path, *arguments: str) -> Any:
    """Run SacreBLEU's own command."""
    command = [sys.executable, "-m", "sacrebleu", "truth", *arguments, "--format", "json", "--width", "6"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, encoding="utf-8")
    return json.loads(done.stdout)


def test_agrees_with_the_command(files: Path) -> None:
    arguments = ["-i", "first", "--metrics", "bleu", "chrf", "ter", "--confidence", "--confidence-n", "50"]
    theirs = sacrebleu(files, *arguments)
    ours = score(FIRST, TRUTH, metrics=["bleu", "chrf", "ter"], resamples=50)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.name == other["name"]
        assert mine.signature == other["signature"]
        assert mine.value == pytest.approx(other["score"], abs=1e-5)
        assert mine.mean == pytest.approx(other["confidence_mean"], abs=1e-5)
        assert mine.half_width == pytest.approx(other["confidence_var"], abs=1e-5)
    json.dumps([entry.as_dict() for entry in ours])


@pytest.mark.parametrize(
    ("test", "flag", "metrics"),
    [("bootstrap", "--paired-bs", ["bleu"]), ("randomization", "--paired-ar", ["bleu", "chrf"])],
)
def test_significance_agrees_with_the_command(files: Path, test: Any, flag: str, metrics: list[Any]) -> None:
    theirs = sacrebleu(files, "-i", "first", "second", "--metrics", *metrics, flag, f"{flag}-n", "60")
    bootstrap = test == "bootstrap"
    systems = {"first": FIRST, "second": SECOND}
    parts = compare(systems, TRUTH, metrics=metrics, test=test, resamples=60 if bootstrap else 50, trials=60)
    assert [part.name for part in parts] == ["first", "second"]
    assert all(part.sentences == 40 for part in parts)
    for mine, other in zip(parts, theirs, strict=True):
        assert len(mine.scores) == len(metrics)
        for entry in mine.scores:
            expected = other[entry.name]
            assert entry.value == pytest.approx(expected["score"], abs=1e-5)
            assert entry.p_value == pytest.approx(expected["p_value"], abs=1e-5)
            if bootstrap:  # the command has no intervals beside the other test
                assert entry.mean == pytest.approx(expected["mean"], abs=1e-5)
                assert entry.half_width == pytest.approx(expected["ci"], abs=1e-5)
            assert {"bootstrap": "|bs:60|", "randomization": "|bs:50|ar:60|"}[test] in entry.signature


@pytest.mark.parametrize("test", ["bootstrap", "randomization"])
def test_significance_of_a_difference_and_of_none(test: Any) -> None:
    parts = compare({"first": FIRST, "better": SECOND, "copy": list(FIRST)}, TRUTH, test=test, resamples=60, trials=60)
    p_values = {part.name: [entry.p_value for entry in part.scores] for part in parts}
    assert p_values["first"] == [None, None]
    assert max(p_values["better"]) < 0.05
    assert p_values["copy"] == [1.0, 1.0]


def test_reports() -> None:
    plain = Score(metric="bleu", name="BLEU", value=59.214, signature="nrefs:1|tok:13a", details={"length_ratio": 0.5})
    sure = Score(metric="ter", name="TER", value=25.0, signature="nrefs:1", mean=25.125, half_width=1.5, p_value=0.0123)
    assert report([plain, sure]) == (
        "BLEU = 59.21 (nrefs:1|tok:13a)\nTER = 25.00 (μ = 25.12 ± 1.50) (p = 0.0123) (nrefs:1)"
    )
    assert plain.as_dict() == {
        "metric": "bleu", "name": "BLEU", "score": 59.214, "signature": "nrefs:1|tok:13a", "length_ratio": 0.5
    }  # fmt: skip
    assert sure.as_dict() == {
        "metric": "ter", "name": "TER", "score": 25.0, "signature": "nrefs:1",
        "confidence_mean": 25.125, "confidence_half_width": 1.5, "p_value": 0.0123,
    }  # fmt: skip
    rows = zip(["seen", "new"], HYPOTHESES, REFERENCES, strict=True)
    parts = [PartScores(name, 1, tuple(score([line], [truth], metrics=["ter"]))) for name, line, truth in rows]
    assert report_parts(parts) == "seen (1 sentence): TER = 16.67\nnew (1 sentence): TER = 33.33"
    assert json.loads(json.dumps(parts[0].as_dict()))["scores"][0]["score"] == pytest.approx(100 / 6)
    json.dumps([part.as_dict() for part in compare({"a": FIRST, "b": SECOND}, TRUTH, resamples=5)])


def test_senseless_requests() -> None:
    with pytest.raises(CorpusError, match=r"there are 2 hypotheses but 1 references: every hypothesis needs its"):
        score(HYPOTHESES, REFERENCES[:1])
    with pytest.raises(CorpusError, match=r"there are 2 hypotheses but 3 references in set 2 of 2"):
        score(HYPOTHESES, [REFERENCES, [*REFERENCES, ""]])
    with pytest.raises(CorpusError, match="nothing to score"):
        score([], [])
    with pytest.raises(CorpusError, match="there are 0 hypotheses but 2 references"):
        score([], REFERENCES)
    with pytest.raises(CorpusError, match="there are 1 hypotheses of b but 2 references"):
        compare({"a": HYPOTHESES, "b": HYPOTHESES[:1]}, REFERENCES)
    with pytest.raises(UsageError, match="a comparison needs two systems or more, not 1"):
        compare({"a": HYPOTHESES}, REFERENCES)
    unknown: Any = "nist"
    with pytest.raises(UsageError, match=r"unknown metric 'nist': choose from bleu, chrf, chrf\+\+, ter"):
        score(HYPOTHESES, REFERENCES, metrics=[unknown])
    with pytest.raises(UsageError, match="no metric to score with"):
        score(HYPOTHESES, REFERENCES, metrics=[])
    with pytest.raises(UsageError, match="unknown tokenization 'nist': choose one of 13a"):
        score(HYPOTHESES, REFERENCES, tokenize=unknown)
    with pytest.raises(UsageError, match="unknown significance test 'nist': choose one of bootstrap, randomization"):
        compare({"a": HYPOTHESES, "b": HYPOTHESES}, REFERENCES, test=unknown)


def test_empty_lines_are_scored_like_any_other() -> None:
    [bleu, chrf, ter] = score(["", ""], REFERENCES, metrics=["bleu", "chrf", "ter"])
    assert (bleu.value, chrf.value, ter.value) == (0.0, 0.0, 100.0)


@pytest.mark.parametrize("metric", ["chrf", "ter"])
def test_resamples_without_a_match_count_as_others_do(metric: MetricName) -> None:
    """SacreBLEU's command ends with a TypeError here; every resample is a corpus that it can score."""
    hypotheses, references = ["UN", "deux trois", "", "quatre"], ["un", "deux", "", "cinq"]
    [found] = score(hypotheses, references, metrics=(metric,), resamples=200)
    scorer = CHRF() if metric == "chrf" else TER()
    scores = []
    for places in numpy.random.default_rng(12345).choice(4, size=(200, 4)):
        lines, truth = ([text[place] for place in places] for text in (hypotheses, references))
        scores.append(float(scorer.corpus_score(lines, [truth]).score))
    scores.sort()
    assert min(scores) == 0.0 or metric == "ter"
    assert found.value == pytest.approx(float(scorer.corpus_score(hypotheses, [references]).score))
    assert found.mean == pytest.approx(sum(scores) / 200, abs=1e-4)
    assert found.half_width == pytest.approx((scores[194] - scores[5]) / 2, abs=1e-4)
    assert "|bs:200|seed:12345|" in found.signature


def test_both_cases_are_scored_one_after_the_other() -> None:
    hypotheses, references = ["The Cat sat on the mat", "a dog"], ["the cat sat on the mat", "a Dog"]
    both = score(hypotheses, references, metrics=["bleu", "ter", "chrf"], lowercase="both")
    assert [each.name for each in both] == ["BLEU", "TER", "chrF2", "lowercased BLEU", "lowercased chrF2"]
    cased = score(hypotheses, references, metrics=["bleu", "ter", "chrf"])
    lowered = score(hypotheses, references, metrics=["bleu", "chrf"], lowercase=True)
    assert [each.value for each in both] == [each.value for each in (*cased, *lowered)]
    assert both[0].value < both[3].value == pytest.approx(100.0)
    assert ["case:lc" in each.signature for each in both] == [False, True, False, True, True]
    # TER never looks at the case, and is not repeated.
    assert len(score(hypotheses, references, metrics=["ter"], lowercase="both")) == 1


def test_systems_are_compared_in_both_cases() -> None:
    systems = {"first": FIRST, "second": [line.upper() for line in SECOND]}
    options: dict[str, Any] = {"metrics": ["bleu"], "resamples": 50}
    both = compare(systems, TRUTH, lowercase="both", **options)
    cased, lowered = (compare(systems, TRUTH, lowercase=choice, **options) for choice in (False, True))
    for part, with_case, without in zip(both, cased, lowered, strict=True):
        assert [each.name for each in part.scores] == ["BLEU", "lowercased BLEU"]
        assert [each.value for each in part.scores] == [with_case.scores[0].value, without.scores[0].value]
        assert [each.p_value for each in part.scores] == [with_case.scores[0].p_value, without.scores[0].p_value]
    assert both[1].scores[0].value < both[0].scores[0].value < both[1].scores[1].value


def test_sacrebleu_warns_of_stops_apart_unless_the_text_is_known(caplog: pytest.LogCaptureFixture) -> None:
    apart = ["a train ."] * 200  # SacreBLEU warns after a hundred such lines.
    [known] = score(apart, ["a train."] * 200, metrics=["bleu"], lowercase="both", detokenized=True)[:1]
    assert not caplog.records
    [unknown] = score(apart, ["a train."] * 200, metrics=["bleu"])
    assert "detokenize" in caplog.text
    assert (known.value, known.signature) == (unknown.value, unknown.signature)
