"""`training.batch: auto`: the search, the cost of a batch on a processor, the bounds, and the run that uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seq2seq.data.batch import SpecialIds
from seq2seq.errors import TrainingError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_directory import read_weights
from seq2seq.training import batch_size, memory
from seq2seq.training.batch_size import find_batch_size, largest, longest_batch, useful
from seq2seq.training.memory import free_memory
from seq2seq.training.objective import Objective
from seq2seq.training.precision import Precision
from tests.training.test_recovery import folder, run

__all__ = ["folder"]  # the text that `run` reads
CPU = torch.device("cpu")
GIB = 2**30


@pytest.mark.parametrize("capacity", [3, 10, 11, 100, 777, 5000, 10**6])
def test_the_search_comes_near_and_never_goes_far_beyond(capacity: int) -> None:
    tried: list[int] = []

    def fits(tokens: int) -> bool:
        tried.append(tokens)
        return tokens <= capacity

    found = largest(fits, least=10, most=3000)
    if capacity < 10:
        assert (found, tried) == (0, [10])
    elif capacity >= 3000:
        assert found == 3000
    else:
        assert capacity / 1.05 - 1 <= found <= capacity
    assert max(tried) <= max(2 * capacity, 10)
    assert len(tried) <= 16


@pytest.mark.parametrize(
    ("places", "accumulation", "expected"),
    [
        (435_000, 1, 2175),  # Multi30k
        (435_000, 3, 725),
        (10**9, 1, 25_000),
        (10**9, 4, 6250),
        (1000, 1, 512),
        (10**9, 1000, 512),
    ],
)
def test_larger_batches_are_of_no_use(places: int, accumulation: int, expected: int) -> None:
    assert useful(places, accumulation=accumulation)[1] == expected


def corpus(*, places: int, source: int = 7, target: int = 5) -> Any:
    special = SpecialIds(source_eos_id=2, source_pad_id=0, bos_id=1, eos_id=2, pad_id=0)
    return SimpleNamespace(places=places, longest=(source, target), special=special)


def test_the_longest_batch() -> None:
    batch = longest_batch(corpus(places=0), 40)
    assert batch.source.shape == (5, 7)  # five times seven pieces, and no room for seven more
    assert batch.target_out.shape == (5, 5)
    assert batch.padding == 0
    assert longest_batch(corpus(places=0), 3).size == 1


def found(model: EncoderDecoder, loader: Any, **settings: Any) -> batch_size.BatchSize:
    return find_batch_size(
        model, loader, objective=Objective(), precision=Precision(dtype=torch.float32, device=CPU),
        accumulation=1,
        make_optimizer=lambda _: pytest.fail("the processor's memory is not tried out"), **settings,
    )  # fmt: skip


def test_on_a_processor_it_grows_with_the_memory(
    make_model: Callable[..., EncoderDecoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, loader = make_model(), corpus(places=10**9)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    generator = torch.get_rng_state()
    sizes = []
    for mib in (10, 20, 30):
        monkeypatch.setattr(batch_size, "free_memory", lambda device, mib=mib: mib * 2**20)
        result = found(model, loader)
        sizes.append(result.tokens)
        assert result.bound == f"what {0.6 * mib / 1024:.1f} GiB of memory take, of {mib / 1024:.1f} GiB free"
    assert sizes[2] - sizes[1] == pytest.approx(sizes[1] - sizes[0], abs=1)
    # Twice what a batch of that size keeps, counted anew for all of it, is about the share of 30 MiB. (A few pairs keep
    # less in proportion: some kernels are chosen by the number of rows.)
    precision = Precision(dtype=torch.float32, device=CPU)
    kept = batch_size._kept(model, longest_batch(loader, sizes[2]), objective=Objective(), precision=precision)
    assert 2 * kept == pytest.approx(0.6 * 30 * 2**20, rel=0.2)
    # A lower bound by hand: logits in float32 and their gradient's exponentials, and the embedded source and target.
    assert kept > sizes[2] / 7 * 4 * (5 * 11 + 7 * 5 + 5 * 5)
    assert found(model, loader, processes=2).tokens == pytest.approx(sizes[2] / 2, rel=0.05)
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.training


def test_with_much_memory_the_corpus_decides(
    make_model: Callable[..., EncoderDecoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_size, "free_memory", lambda device: 100 * GIB)
    assert found(make_model(), corpus(places=435_000)).tokens == 2175
    assert found(make_model(), corpus(places=10**9)).tokens == 25_000


def test_not_even_one_pair(make_model: Callable[..., EncoderDecoder], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_size, "free_memory", lambda device: 2**14)
    with pytest.raises(TrainingError) as caught:
        found(make_model(), corpus(places=10**6))
    assert str(caught.value) == (
        "training.batch auto: not even a single pair of 7 source and 5 target pieces fits into the 0.0 GiB that are "
        "free; lower corpus.max_pieces, make the network smaller, or free memory"
    )


def test_on_a_gpu_updates_are_tried(make_model: Callable[..., EncoderDecoder], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU of the test's own making, which holds 123 rows, and reports 1 KiB for each."""
    model, rows = make_model(), [0]
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def step(network: EncoderDecoder, batches: Any, **settings: Any) -> None:
        assert network is not model
        rows[0] = batches[0].size
        if rows[0] > 150:
            raise torch.OutOfMemoryError("CUDA out of memory")
        for parameter in network.parameters():
            parameter.data.add_(1.0)

    for name in ("empty_cache", "reset_peak_memory_stats", "synchronize"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 1000)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda device: 1000 + 1024 * rows[0])
    monkeypatch.setattr(batch_size, "train_step", step)
    trial = batch_size._Trial(
        model,
        corpus(places=10**9),
        objective=Objective(),
        make_optimizer=lambda copied: torch.optim.SGD(copied.parameters()),
        precision=Precision(dtype=torch.float32, device=CPU),
        limit=123 * 1024,
    )
    size = largest(trial.fits, least=7, most=25_000)
    assert 123 / 1.06 <= size / 7 < 124
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


# The memory that there is


def test_limits_of_control_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    monkeypatch.setattr(memory, "_PROC", proc)
    monkeypatch.setattr(memory, "_CGROUP", groups)
    monkeypatch.setattr(memory, "_of_the_process", lambda: 2**62)
    (proc / "meminfo").write_text("MemTotal:       9999 kB\nMemAvailable:   5000 kB\nSwapFree: 1 kB\n")
    assert free_memory(CPU) == 5000 * 1024

    def group(path: str, **files: str) -> None:
        (groups / path).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (groups / path / name.replace("__", ".")).write_text(text + "\n")

    (proc / "self" / "cgroup").write_text("0::/a/b\n")
    group("a/b", memory__max="max", memory__current="1000")
    assert free_memory(CPU) == 5000 * 1024
    group("a", memory__max="4000000", memory__current="1000000")  # the one above limits too
    assert free_memory(CPU) == 3_000_000
    group("a/b", memory__max="2000000", memory__current="500000")
    assert free_memory(CPU) == 1_500_000
    # In a container: the path is one of the host, the files are at the root.
    (proc / "self" / "cgroup").write_text("0::/docker/0123\n")
    group("", memory__max="900000", memory__current="200000")
    assert free_memory(CPU) == 700_000
    (proc / "self" / "cgroup").write_text("5:cpu,cpuacct:/x\n4:memory:/x\n")
    group("memory/x", memory__limit_in_bytes="80000", memory__usage_in_bytes="90000")
    assert free_memory(CPU) == 0


def test_the_limit_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (3 * GIB, 3 * GIB))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    assert memory._of_the_process() == pytest.approx(max(0, 3 * GIB - used), abs=2**24)
    assert 0 < memory._of_the_machine() < 2**50


# A run


def test_a_run_decides_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decided from the memory that there is when the run begins, and the same when it goes on with less."""
    from seq2seq.training import assembly as running

    sizes = iter([300, 100])
    monkeypatch.setattr(
        running, "find_batch_size", lambda *_, **__: batch_size.BatchSize(next(sizes), "by the test's will")
    )
    auto = ("training.batch=auto", "training.max_updates=7")
    display = run(*auto)
    assert "training.batch auto: batches of 300 pieces, by the test's will" in display.said
    continued = run("training.batch=auto", "training.max_updates=10")
    assert not any("training.batch auto" in text for text in continued.said)
    assert next(sizes) == 100
    records = [json.loads(line) for line in Path("runs/tiny/journal.jsonl").read_text().splitlines()]
    assert [record["batch"] for record in records if record["kind"] in ("start", "resume")] == [300, 300]
    assert "batch: auto" in Path("runs/tiny/recipe.yaml").read_text()
    run("training.batch=300", "training.max_updates=10", "run.name=given")
    one, other = (read_weights(Path(f"runs/{name}/training/checkpoint.safetensors"))[0] for name in ("tiny", "given"))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_a_run_on_this_machine() -> None:
    display = run("training.batch=auto", "training.max_updates=2")
    assert "training.batch auto: batches of 512 pieces, so that an epoch has about 200 updates" in display.said
