"""The measuring of training speed: arithmetic by hand, who takes which turn, drawn lengths, parts, and the command."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
import torch

from seq2seq.data.batch import Batch
from seq2seq.data.filtering import PairFilter
from seq2seq.errors import UsageError
from seq2seq.recipe import Recipe, load_recipe
from tools.benchmark_training import material, measuring, peaks
from tools.benchmark_training.__main__ import main, settings_of, warnings_of
from tools.benchmark_training.contender import Contender
from tools.benchmark_training.figures import spread
from tools.benchmark_training.flops import FlopCount
from tools.benchmark_training.material import (
    DISTRIBUTIONS,
    Lengths,
    parse_lengths,
    synthetic_corpus,
    synthetic_material,
)
from tools.benchmark_training.measuring import Counts, Setting, enter, take_parts, take_turns
from tools.benchmark_training.parts import PARTS, Stopwatch, time_parts, watched, with_border
from tools.benchmark_training.peaks import Peaks
from tools.benchmark_training.report import report

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "recipes" / "benchmark-small.yaml"
CPU = torch.device("cpu")
TINY = [
    "tokenizer.vocabulary_size=60",
    "model.encoder.hidden_size=8",
    "model.encoder.embedding_size=8",
    "model.decoder.hidden_size=8",
    "model.decoder.embedding_size=8",
    "training.batch=64",
    "training.precision=fp32",
    "run.device=cpu",
    "run.threads=1",
]
SHORT = Lengths(source_mean=5.0, target_mean=6.0, spread=0.3, disagreement=0.1)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little to draw and to multiply."""
    monkeypatch.setattr(peaks, "CPU_SIDE", 32)
    monkeypatch.setattr(material, "SYNTHETIC_PAIRS", 2000)


def tiny(*overrides: str) -> Recipe:
    """The benchmark's recipe, tiny."""
    return load_recipe(SMALL, [*TINY, *overrides])


# Arithmetic. A product of [m, n] and [n, k] is 2 m n k; forward once, backward twice.


def matrices(*shapes: tuple[int, int]) -> int:
    """Operations that matrices cost for one position, forward and backward."""
    return 3 * sum(2 * rows * columns for rows, columns in shapes)


def test_the_arithmetic_of_the_benchmarks_network_is_that_of_its_matrices() -> None:
    flops = FlopCount(load_recipe(SMALL).model, vocabularies=(8000, 8000)).of(20.0, 10.0)
    assert flops.encoder == 20 * matrices(*[(1024, 256), (1024, 256)] * 2)  # input and state, both directions
    assert flops.output == 10 * matrices((8000, 512))
    bridge = matrices((1024, 512))
    keys = 20 * matrices((512, 512))
    layer_and_readout = 10 * matrices((2048, 256), (2048, 512), (512, 1024))
    attention = 10 * matrices((20, 512), (512, 20))  # scores, then the mean of the values
    assert flops.decoder == bridge + keys + layer_and_readout + attention


@pytest.mark.parametrize(("context", "megaflops"), [("output", 45.0), ("input-feeding", 51.3)])
def test_the_arithmetic_of_a_pair_is_the_known_figure(context: str, megaflops: float) -> None:
    recipe = load_recipe(SMALL, [f"model.attention.context={context}"])
    per_pair = FlopCount(recipe.model, vocabularies=(8000, 8000)).of(15.0, 15.0).total / 15
    # The figure is of the matrices alone; bridge and attention are less than one percent.
    assert megaflops * 1e6 < per_pair < 1.01 * megaflops * 1e6


def test_the_arithmetic_of_gnmt_is_the_known_figure() -> None:
    recipe = load_recipe(ROOT / "recipes" / "gnmt-v2.yaml")
    per_pair = FlopCount(recipe.model, vocabularies=(32_320, 32_320)).of(28.0, 28.0).total / 28
    assert per_pair == pytest.approx(765e6, rel=0.001)


@pytest.mark.parametrize(("cell", "gates"), [("gru", 3), ("elman-tanh", 1), ("lstm-peephole", 4)])
def test_the_arithmetic_of_other_cells(cell: str, gates: int) -> None:
    recipe = tiny(f"model.encoder.cell={cell}", "model.encoder.hidden_size=4", "model.encoder.directions=forward")
    flops = FlopCount(recipe.model, vocabularies=(60, 60)).of(7.0, 3.0)
    assert flops.encoder == 7 * matrices((gates * 4, 8), (gates * 4, 4))


def test_the_product_of_a_matrix_and_a_vector_counts() -> None:
    with_vector = tiny("model.attention.type=additive", "model.attention.size=6", "model.bridge=zero")
    flops = FlopCount(with_vector.model, vocabularies=(60, 60)).of(5.0, 3.0)
    keys, query, score, read = (
        5 * matrices((6, 16)),
        3 * matrices((6, 8)),
        15 * matrices((1, 6)),
        15 * matrices((1, 16)),
    )
    layer, readout = 3 * matrices((32, 8), (32, 8)), 3 * matrices((8, 24))
    assert flops.decoder == keys + query + score + read + layer + readout


# Lengths.


@pytest.mark.parametrize("name", sorted(DISTRIBUTIONS))
def test_drawn_lengths_have_the_mean_and_the_spread_that_were_asked_for(name: str) -> None:
    lengths = DISTRIBUTIONS[name]
    source, target = lengths.draw(200_000, numpy.random.default_rng(1))
    for side, mean in ((source, lengths.source_mean), (target, lengths.target_mean)):
        assert side.min() >= 1
        assert side.mean() == pytest.approx(mean, rel=0.01)
        assert side.std() / side.mean() == pytest.approx(lengths.spread, rel=0.02)
    apart = numpy.log(source / target)[numpy.minimum(source, target) > 10].std()  # where rounding says little
    assert apart == pytest.approx(lengths.disagreement, rel=0.05)


def test_drawn_ids_are_ordinary_ones_and_the_frequent_are_frequent() -> None:
    corpus = synthetic_corpus(
        DISTRIBUTIONS["wmt"],
        pairs=5000,
        vocabularies=(50, 1000),
        limits=PairFilter(max_pieces=100),
        seed=3,
    )
    assert corpus.source.values.min() == 4
    assert corpus.source.values.max() <= 49
    assert corpus.target.values.max() <= 999
    counts = numpy.bincount(corpus.target.values, minlength=1000)
    assert counts[4] / counts[4 + 9] == pytest.approx(math.log(2) / math.log(11 / 10), rel=0.2)
    assert corpus.source.lengths().max() <= 100
    assert corpus.report.kept == len(corpus) < 5000


def test_a_distribution_is_named_or_described() -> None:
    assert parse_lengths("wmt") is DISTRIBUTIONS["wmt"]
    described = parse_lengths("20:5")
    assert (described.source_mean, described.target_mean, described.spread) == (20.0, 20.0, 0.25)
    for wrong in ("wnt", "20", "20:", "0:3", "20:-1"):
        with pytest.raises(UsageError, match="give multi30k, wmt, or MEAN:DEVIATION"):
            parse_lengths(wrong)


# Turns.


def contest(*overrides: str, rounds: int = 2, updates: int = 2) -> list[measuring.Contest]:
    """The tiny recipe, and again with `overrides`, on drawn ids; without counting operations, which takes a second."""
    settings = [Setting("one", tiny()), Setting("other", tiny(*overrides))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "FlopCount", lambda model, vocabularies: None)
        return enter(
            settings,
            device=CPU,
            prepare=lambda recipe: synthetic_material(recipe, CPU, SHORT),
            rounds=rounds,
            updates=updates,
            say=lambda text: None,
        )


def test_settings_take_turns_on_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    contests = contest("model.encoder.cell=gru")
    seen: list[tuple[int, tuple[int, ...]]] = []

    def seconds(self: Contender, batches: list[Batch]) -> float:
        which = next(number for number, each in enumerate(contests) if each.contender is self)
        seen.append((which, tuple(map(id, batches))))
        return 1.0 + which

    monkeypatch.setattr(Contender, "seconds", seconds)
    taken = Peaks(CPU)
    taken.take()
    take_turns(contests, taken, rounds=2, say=lambda text: None)
    assert [which for which, _ in seen] == [0, 1] * 3, "one round to warm up and two that count"
    assert [batches for _, batches in seen[0::2]] == [batches for _, batches in seen[1::2]]
    assert len({batch for _, batches in seen for batch in batches}) == 6, "every round has batches of its own"
    assert all(len(peak.readings) == 4 for peak in taken.peaks), "before, and after every round"
    for each, time in zip(contests, (1.0, 2.0), strict=True):
        assert [turn.seconds for turn in each.turns] == [time, time]
        assert [turn.counts.target_tokens for turn in each.turns] == [
            sum(batch.target_tokens for batch in each.batches[start : start + 2]) for start in (2, 4)
        ]


def test_an_update_has_as_many_batches_as_the_recipe_accumulates(monkeypatch: pytest.MonkeyPatch) -> None:
    (_, each) = contest("training.accumulation=3")
    sizes: list[int] = []
    monkeypatch.setattr(Contender, "update", lambda self, group: sizes.append(len(group)))
    assert len(each.batches) == 3 * 2 * 3
    each.contender.seconds(each.batches)
    assert sizes == [3] * 6


def test_padding_and_shape_of_batches_by_hand() -> None:
    batch = Batch(
        source=torch.zeros(2, 5, dtype=torch.int64),
        source_lengths=torch.tensor([5, 3]),
        target_in=torch.zeros(2, 4, dtype=torch.int64),
        target_out=torch.zeros(2, 4, dtype=torch.int64),
        target_lengths=torch.tensor([4, 3]),
        source_tokens=8,
        target_tokens=7,
    )
    counts = Counts.of([batch, batch])
    assert (counts.pairs, counts.target_tokens, counts.source_columns, counts.target_columns) == (4, 14, 10, 8)
    assert counts.padding == pytest.approx(3 / 18)
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0}


def test_other_batches_and_other_vocabularies_are_warned_of() -> None:
    overrides = [*TINY]
    same = settings_of(str(SMALL), overrides, [["model.encoder.cell=gru"], ["training.precision=bf16"]])
    assert warnings_of(same) == []
    assert [setting.name for setting in same] == [
        "training.precision=fp32",
        "model.encoder.cell=gru",
        "training.precision=bf16",
    ]
    other = settings_of(str(SMALL), [], [["tokenizer.vocabulary_size=99"], ["training.batch=99"]])
    assert other[0].name == "benchmark-small"
    tokenizer, batches = warnings_of(other)
    assert "tokenizer.vocabulary_size=99 has another tokenizer than benchmark-small" in tokenizer
    assert "training.batch=99 trains on other batches than benchmark-small" in batches


# Parts.


def test_the_marks_of_an_update_come_in_the_order_of_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    contests = contest()
    passed: list[str] = []
    monkeypatch.setattr(Stopwatch, "mark", lambda self, ended: passed.append(ended))
    first = contests[0]
    time_parts(first.contender, iter(first.batches), updates=2)
    assert passed == ["", *PARTS[1:]] * 2


def test_marks_change_nothing_of_an_update() -> None:
    one, other = contest()
    watch = Stopwatch(CPU)
    torch.manual_seed(5)
    plain = one.contender.update(one.batches[:1])
    torch.manual_seed(5)
    with watched(other.contender, watch):
        marked = other.contender.update(other.batches[:1])
    assert torch.equal(plain.loss, marked.loss)
    for before, after in zip(one.contender.model.parameters(), other.contender.model.parameters(), strict=True):
        assert torch.equal(before, after)
    assert "sequence" not in vars(other.contender.model.decoder), "the marks are gone"


def test_a_border_is_an_identity_whose_gradients_all_arrive_before_it_is_passed() -> None:
    tensor = torch.tensor([1.0, 2.0], requires_grad=True)
    seen: list[str] = []
    double = tensor * 2
    double.register_hook(lambda gradient: seen.append("below"))
    left, (right, nothing), same = with_border((double, (double + 1, None), double), lambda: seen.append("border"))
    assert left is same
    assert nothing is None
    right.register_hook(lambda gradient: seen.append("above"))
    (left * right).sum().backward()
    assert seen == ["above", "border", "below"]
    assert tensor.grad is not None
    # d/dx of 2x (2x + 1)
    assert tensor.grad.tolist() == [8 * 1.0 + 2, 8 * 2.0 + 2]


def test_the_parts_are_those_of_the_seconds_between_marks() -> None:
    watch = Stopwatch(CPU)
    watch._marks = [("", 1.0), ("rest", 1.5), ("optimizer", 3.5), ("", 9.0), ("rest", 9.25)]
    into = dict.fromkeys(PARTS, 0.0)
    watch.read(into)
    assert {part: seconds for part, seconds in into.items() if seconds} == {"rest": 0.75, "optimizer": 2.0}


def test_batches_are_drawn_while_the_parts_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    contests = contest()
    for each in contests:
        monkeypatch.setattr(each.contender, "seconds", lambda batches: 1.0 * len(batches))
    take_parts(contests, rounds=2, parts_rounds=1, say=lambda text: None)
    for each in contests:
        assert each.parts is not None
        assert each.parts.updates == 2
        assert each.parts.positions == sum(batch.target_out.shape[1] for batch in each.batches[2:4])
        assert all(seconds > 0.0 for seconds in each.parts.seconds.values())
        assert each.parts_whole == 2.0, "the two batches of the round that counts"


# The command.


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process as it was before the command set its number of threads."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_the_command_measures_and_writes_every_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], quick: None
) -> None:
    path = tmp_path / "figures.json"
    arguments = [str(SMALL), *TINY, "--against", "model.encoder.cell=gru", "--rounds", "2", "--updates", "2"]
    assert main([*arguments, "--synthetic", "6:2", "--json", str(path), "--markdown"]) == 0
    found = capsys.readouterr()
    figures = json.loads(path.read_text(encoding="utf-8"))
    assert (figures["rounds"], figures["updates"]) == (2, 2)
    assert figures["environment"].keys() == {"torch", "python", "device", "threads"}
    assert [setting["name"] for setting in figures["settings"]] == ["benchmark-small", "model.encoder.cell=gru"]
    (ratio,) = figures["ratios"]
    assert (ratio["setting"], ratio["against"]) == ("benchmark-small", "model.encoder.cell=gru")
    assert ratio["min"] <= ratio["median"] <= ratio["max"]
    for setting in figures["settings"]:
        for name in (
            "target_tokens_per_second",
            "tokens_per_second",
            "ms_per_update",
            "ms_per_target_position",
            "utilisation",
        ):
            assert 0 < setting[name]["min"] <= setting[name]["median"] <= setting[name]["max"]
        assert setting["utilisation_of"] in figures["peaks"]
        assert setting["parts"]["ms"].keys() == set(PARTS)
        assert 0.0 <= setting["batch"]["padding_share"] < 0.5
    assert "| setting | target tokens/s |" in found.out
    assert "| parts of benchmark-small | ms/update | share | GFLOP/s |" in found.out
    assert "benchmark-small / model.encoder.cell=gru: " in found.out
    assert "fewer than 5 rounds is a glance" in found.err
    assert "round 2 of 2: " in found.err
    # The same figures for people: columns that line up.
    lines = report(figures, markdown=False).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("setting "))
    assert len({len(line) for line in lines[at : at + 3]}) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["no.yaml"], "no.yaml: there is no such recipe"),
        ([str(SMALL), "model.nothing=1"], "model.nothing: unknown key"),
        ([str(SMALL), "--against", "model.nothing=1"], "model.nothing: unknown key"),
        ([str(SMALL), "--rounds", "0"], "--rounds and --updates are 1 or more"),
        ([str(SMALL), "--synthetic", "long"], "--synthetic long: give multi30k, wmt, or MEAN:DEVIATION"),
        ([str(SMALL), "--json", "nowhere/at/all.json"], "there is no folder nowhere/at"),
        ([str(SMALL), "--against", "run.device=cuda"], "run.device is the same for all settings"),
        ([str(SMALL), *TINY, "--synthetic", "5000:1"], "no synthetic pair can be used"),
    ],
)
def test_wrong_input_is_one_sentence(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str], quick: None
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert complaint in error
    assert error.splitlines()[-1].startswith("benchmark_training: error: ")


def test_an_operator_that_is_missing_is_left_out_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peaks, "_prepacked", lambda left, right: None)
    found = Peaks(CPU)
    found.take()
    assert [peak.name.split()[0] for peak in found.peaks] == ["fp32", "bf16"]
    assert all("prepacked" in note for note in found.left_out)
    assert len(found.left_out) == 2
    assert found.of(torch.bfloat16).name.startswith("bf16")


def test_a_material_has_the_vocabularies_of_the_recipe() -> None:
    recipe = tiny("tokenizer.joint=false", "tokenizer.target_vocabulary_size=70")
    assert synthetic_material(recipe, CPU, SHORT).vocabularies == (60, 70)
