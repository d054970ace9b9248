"""The report of a comparison, line by line."""

from __future__ import annotations

from dataclasses import replace

from seq2seq.comparison import breakdown_lines, comparison_lines, comparison_markdown
from tests.comparison.reported import COMPARISON, GROUPS

_LINES = """\
test.fr: 1000 sentences, 2 systems, by paired bootstrap resampling:
  system          BLEU      Δ       p            TER      Δ       p
  old     58.00 ± 1.50                  29.00 ± 1.50
  new     59.50 ± 1.25  +1.50  0.0123*  28.50 ± 1.50  -0.50  0.2500

  ± is half the width of the 95 % confidence interval.
  Δ and p are against old; * marks p < 0.05.
  TER is better when it is lower.
  BLEU: nrefs:1|bleu
  TER: nrefs:1|ter

BLEU by length of the reference, in tokens (13a):
  length  sentences           old           new
  1-5            40  61.25 ± 1.50  60.00 ± 1.50
  6+            960  57.50 ± 1.50  59.00 ± 1.50

TER by length of the reference, in tokens (13a):
  length  sentences           old           new
  1-5            40  20.00 ± 1.50  21.00 ± 1.50
  6+            960  30.00 ± 1.50  29.00 ± 1.50

F1 by frequency of words in train.fr:
  frequency  words          old           new
  0             12  0.00 ± 1.50  10.00 ± 1.50
  1+         12345        80.00  81.00 ± 1.50

precision by frequency of words in train.fr:
  frequency  words           old           new
  0             12             -  20.00 ± 1.50
  1+         12345  75.00 ± 1.50  76.00 ± 1.50

recall by frequency of words in train.fr:
  frequency  words           old           new
  0             12   0.00 ± 1.50   5.00 ± 1.50
  1+         12345  75.00 ± 1.50  76.00 ± 1.50
"""
LINES = _LINES.splitlines()

_MARKDOWN = """\
## test.fr

1000 sentences in 2.5 s, 2 systems, by paired approximate randomization.

| system | BLEU | Δ | p | TER | Δ | p |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| old | 58.00 ± 1.50 |  |  | 29.00 ± 1.50 |  |  |
| new | 59.50 ± 1.25 | +1.50 | 0.0123* | 28.50 ± 1.50 | -0.50 | 0.2500 |

- ± is half the width of the 95 % confidence interval.
- Δ and p are against old; * marks p < 0.05.
- TER is better when it is lower.
- BLEU: `nrefs:1|bleu`
- TER: `nrefs:1|ter`

### BLEU by group

| group | sentences | old | new |
| --- | ---: | ---: | ---: |
| seen | 1000 | 58.00 ± 1.50 | 59.50 ± 1.50 |
"""
MARKDOWN = _MARKDOWN.splitlines()


def test_for_a_terminal() -> None:
    assert comparison_lines(COMPARISON) == LINES
    assert max(map(len, LINES)) <= 120


def test_many_systems_and_metrics_stay_within_the_terminal() -> None:
    scores = COMPARISON.systems[1].scores * 4
    baseline = replace(COMPARISON.systems[0], scores=COMPARISON.systems[0].scores * 4)
    wide = replace(COMPARISON, systems=(baseline, replace(COMPARISON.systems[1], scores=scores)))
    lines = comparison_lines(wide)
    assert max(map(len, lines)) <= 120
    assert sum(line.startswith("  system") for line in lines) == 3
    assert " ".join(lines).count("59.50 ± 1.25") == 4


def test_many_systems_are_broken_down_below_each_other() -> None:
    (lengths, _), names = COMPARISON.breakdowns, [f"system-number-{number}" for number in range(9)]
    lines = breakdown_lines([replace(lengths, scores=dict.fromkeys(names, lengths.scores["old"]))])
    assert max(map(len, lines)) <= 120
    heads = [line.split() for line in lines if line.startswith("  length")]
    assert [head[:2] for head in heads] == [["length", "sentences"]] * 4  # of two measures
    assert [name for head in heads for name in head[2:]] == names * 2


def test_in_markdown() -> None:
    comparison = replace(COMPARISON, test="randomization", seconds=2.46, breakdowns=(GROUPS,))
    assert comparison_markdown(comparison) == MARKDOWN


def test_one_system_has_no_differences() -> None:
    alone = replace(COMPARISON, systems=COMPARISON.systems[:1], test=None, breakdowns=(), sentences=1)
    assert comparison_markdown(alone)[2:7] == [
        "1 sentence.",
        "",
        "| system | BLEU | TER |",
        "| --- | ---: | ---: |",
        "| old | 58.00 ± 1.50 | 29.00 ± 1.50 |",
    ]
    assert not any("Δ" in line for line in comparison_markdown(alone))
