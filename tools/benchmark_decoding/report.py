"""The report: Markdown for people, a dictionary for JSON."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sacrebleu.metrics.bleu import BLEU

from seq2seq.benchmark.figures import Spread, percentile
from tools.benchmark_decoding.measuring import BeamFigures, Figures, ratios

#: BLEU of the same weights may differ by so much before the report says so.
EQUAL_BLEU = 0.1


@dataclass(frozen=True)
class Circumstances:
    """What the figures hold for."""

    command: str
    date: str
    model: str
    text: str
    sentences: int
    rounds: int
    threads: int
    latency_beam: int
    latency_sentences: int
    machine: dict[str, Any]
    peaks: dict[str, Spread]


def as_dict(found: Sequence[Figures], reference: Sequence[str], circumstances: Circumstances) -> dict[str, Any]:
    """All figures; a contender that has none has the reason."""
    first = next((each for each in found if each.absent is None), None)
    return {
        "command": circumstances.command,
        "date": circumstances.date,
        "model": circumstances.model,
        "text": circumstances.text,
        "sentences": circumstances.sentences,
        "rounds": circumstances.rounds,
        "threads": circumstances.threads,
        "bleu_signature": _signature(reference),
        "latency": {"beam": circumstances.latency_beam, "sentences": circumstances.latency_sentences},
        **circumstances.machine,
        "gemm_gflops": {name: spread.as_dict(digits=0) for name, spread in circumstances.peaks.items()},
        "contenders": [_contender(each, first, reference, circumstances.sentences) for each in found],
        "ratios": _all_ratios(found),
    }


def _signature(reference: Sequence[str]) -> str:
    metric = BLEU()
    metric.corpus_score(list(reference), [list(reference)])
    return str(metric.get_signature())


def _contender(figures: Figures, first: Figures | None, reference: Sequence[str], sentences: int) -> dict[str, Any]:
    name = figures.contender.name
    if figures.absent is not None:
        return {"name": name, "absent": figures.absent}
    record: dict[str, Any] = {
        "name": name,
        "versions": figures.versions,
        "detail": figures.detail,
        "ours": figures.contender.ours,
        "same_weights": figures.contender.same_weights,
        "start_seconds": round(figures.start_seconds, 2),
        "beams": {
            str(beam): _beam(each, None if first is None else first.beams[beam], reference, sentences)
            for beam, each in figures.beams.items()
        },
    }
    if figures.milliseconds:
        record["milliseconds"] = {
            f"p{percent}": round(percentile(figures.milliseconds, percent), 2) for percent in (50, 95)
        }
    return record


def _beam(figures: BeamFigures, first: BeamFigures | None, reference: Sequence[str], sentences: int) -> dict[str, Any]:
    text = statistics.median(figures.text_seconds)
    differing = 0 if first is None else sum(a != b for a, b in zip(figures.text, first.text, strict=True))
    return {
        "batch_size": figures.batch_size,
        "tried": {str(size): round(rate, 2) for size, rate in figures.tried.items()},
        "bleu": round(BLEU().corpus_score(figures.text, [list(reference)]).score, 2),
        "lines_unlike_the_first": differing,
        "tokens": figures.tokens,
        "sentences_per_second": _spread(sentences, figures.seconds).as_dict(digits=2),
        "tokens_per_second": _spread(figures.tokens, figures.seconds).as_dict(digits=1),
        "text_ms_per_sentence": round(1e3 * text / sentences, 3),
        "seconds": [round(seconds, 4) for seconds in figures.seconds],
        "peak_mib": round(max(figures.peaks_mib)) if figures.peaks_mib else None,
    }


def _spread(count: int, seconds: Sequence[float]) -> Spread:
    return Spread.of([count / each for each in seconds])


def _all_ratios(found: Sequence[Figures]) -> list[dict[str, Any]]:
    """Each setting of ours against every other toolkit, the fastest first."""
    present = [each for each in found if each.absent is None]
    ours = [each for each in present if each.contender.ours]
    others = [each for each in present if not each.contender.ours]
    listed: list[dict[str, Any]] = []
    for beam in present[0].beams if present else []:
        medians = [statistics.median(other.beams[beam].seconds) for other in others]
        for own in ours:
            for place in sorted(range(len(others)), key=medians.__getitem__):
                names = {"beam": beam, "ours": own.contender.name, "other": others[place].contender.name}
                listed.append(names | ratios(own, others[place], beam=beam).as_dict(digits=2))
    return listed


def markdown(measured: dict[str, Any]) -> str:
    """The report of :func:`as_dict` as Markdown."""
    machine, versions = measured["machine"], measured["versions"]
    present = [each for each in measured["contenders"] if "absent" not in each]
    lines = [
        f"{measured['date']}; {machine.get('processor', 'unknown processor')}, {measured['threads']} thread"
        f"{'s' * (measured['threads'] != 1)} on {machine.get('cores', '?')} cores; Python {versions['python']}, torch "
        f"{versions['torch']}, commit {versions.get('commit', 'unknown')}; {measured['model']} on {measured['text']}, "
        f"{measured['sentences']} sentences; {measured['rounds']} rounds in turn, medians and ranges; "
        "matrix products beside the rounds: "
        + ", ".join(f"{name} {_range(each, 0)} GFLOP/s" for name, each in measured["gemm_gflops"].items()),
        "",
        f"`{measured['command']}`",
        "",
    ]
    for beam in present[0]["beams"] if present else []:
        lines += [f"Beam {beam}, loading and tokenizing apart:", "", *_beam_table(present, beam), ""]
    if present and "milliseconds" in present[0]:
        latency = measured["latency"]
        lines += [
            f"One sentence at a time, tokenizing included, beam {latency['beam']}, {latency['sentences']} sentences a "
            "round; start is that of a process, until its model can translate:",
            "",
            *_latency_table(present),
            "",
        ]
    lines += [*_table(["", "versions", "how it is used"], [_use(each) for each in measured["contenders"]], words=3), ""]
    if measured["ratios"]:
        rows = [
            [
                each["beam"],
                each["ours"],
                each["other"],
                f"{each['median']:.2f} ({each['lowest']:.2f} to {each['highest']:.2f})",
            ]
            for each in measured["ratios"]
        ]
        lines += ["Times as fast, round by round:", "", *_table(["beam", "ours", "other", "ratio"], rows, words=3), ""]
    lines += [f"BLEU: {measured['bleu_signature']}", *_doubts(present)]
    return "\n".join(lines) + "\n"


def _beam_table(present: Sequence[dict[str, Any]], beam: str) -> list[str]:
    rows = []
    for each in present:
        found = each["beams"][beam]
        memory = "" if found["peak_mib"] is None else f"{found['peak_mib']:,}"
        rows.append(
            [
                each["name"],
                found["batch_size"],
                f"{found['bleu']:.2f}",
                found["lines_unlike_the_first"],
                _range(found["sentences_per_second"], 1),
                _range(found["tokens_per_second"], 0),
                f"{found['tokens']:,}",
                f"{found['text_ms_per_sentence']:.2f}",
                memory,
            ]
        )
    heads = ["", "best batch", "BLEU", "lines unlike the first row's", "sentences/s", "target tokens/s"]
    heads += ["target tokens", "tokenizing, ms/sentence", "peak MiB"]
    return _table(heads, rows)


def _latency_table(present: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        [each["name"], *(f"{each['milliseconds'][key]:.1f}" for key in ("p50", "p95")), f"{each['start_seconds']:.1f}"]
        for each in present
    ]
    return _table(["", "p50 ms", "p95 ms", "start s"], rows)


def _use(each: dict[str, Any]) -> list[str]:
    if "absent" in each:
        return [each["name"], "", each["absent"]]
    versions = ", ".join(f"{name} {version}" for name, version in each["versions"].items())
    return [each["name"], versions, each["detail"] + ("; the same weights" if each["same_weights"] else "")]


def _doubts(present: Sequence[dict[str, Any]]) -> list[str]:
    """Contenders whose BLEU is not that of the first."""
    found = []
    for beam, first in present[0]["beams"].items() if present else []:
        for each in present[1:]:
            difference = each["beams"][beam]["bleu"] - first["bleu"]
            if abs(difference) > EQUAL_BLEU:
                found.append(
                    f"beam {beam}: the BLEU of {each['name']} is {difference:+.2f} from that of {present[0]['name']}"
                )
    return ["", *found] if found else found


def _range(spread: dict[str, float], digits: int) -> str:
    return f"{spread['median']:,.{digits}f} ({spread['lowest']:,.{digits}f} to {spread['highest']:,.{digits}f})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, words: int = 1) -> list[str]:
    """A table whose first `words` columns are words, and the others numbers."""
    ruler = ["---"] * words + ["---:"] * (len(heads) - words)
    return ["| " + " | ".join(map(str, row)) + " |" for row in (heads, ruler, *rows)]
