"""`report.md`: what a run was, what came out of it, and how to repeat it; made from the run's folder alone."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from seq2seq.model_files import RECIPE
from seq2seq.recipe import Recipe, dump_recipe, load_stored_recipe
from seq2seq.storage import write_atomically
from seq2seq.training.history import History, JournalReader
from seq2seq.training.journal import JOURNAL, duration
from seq2seq.training.observer import CURVES, SAMPLES
from seq2seq.training.samples import PAGE, escaped, read_entries

REPORT = "report.md"
EVALUATION = "evaluation.json"


def make_report(directory: Path, *, say: Callable[[str], None]) -> None:
    """Write a run's report anew; where that fails, `say` why: a run that has ended well is not to fail for it."""
    try:
        write_atomically(directory / REPORT, report_of(directory).encode())
    except Exception as error:
        say(f"note: {directory / REPORT} cannot be made ({str(error) or type(error).__name__})")


def report_of(directory: Path) -> str:
    """The report as Markdown, of a run that has been validated once at least.

    Raises:
        Seq2SeqError: the recipe cannot be read.
        OSError, ValueError: the journal cannot be read, or is damaged.
    """
    recipe = load_stored_recipe(directory / RECIPE)
    history = JournalReader(directory / JOURNAL).read()
    languages = f"{recipe.corpus.source_language} to {recipe.corpus.target_language}"
    parts = [
        f"# {recipe.run.name}: {languages}",
        "This page is written at the end of a training, and again whenever the model is evaluated.",
        *_result(directory, recipe, history),
    ]
    if (directory / CURVES).is_file():
        parts += ["## Curves", f"![Loss, quality, learning rate and gradient norm]({CURVES})"]
    parts += [
        *_samples(directory),
        *_training(history),
        *_corpora(recipe, history),
        *_system(recipe, history),
        *_machine(history),
        *_commands(directory, recipe),
    ]
    return "\n\n".join(parts) + "\n"


def _result(directory: Path, recipe: Recipe, history: History) -> list[str]:
    parts = ["## Result"]
    tests = json.loads((directory / EVALUATION).read_text("utf-8")) if (directory / EVALUATION).is_file() else []
    if tests:
        rows = [
            (test["name"], f"{test['sentences']:,}", score["name"], f"{score['score']:.2f}")
            for test in tests
            for score in test["scores"]
        ]
        search = f"beam {recipe.search.beam}, length penalty {recipe.search.length_penalty:g}"
        parts += [
            f"Of the best model, with {search}:",
            _table(("Test set", "Sentences", "Metric", "Score"), rows, right=(1, 3)),
            "SacreBLEU's signatures:",
            # Not in the table, where their bars would end a cell.
            "\n".join(dict.fromkeys(f"- {score['name']}: `{score['signature']}`" for score in _scores(tests))),
        ]
        groups = [
            (test["name"], group["name"], f"{group['sentences']:,}", score["name"], f"{score['score']:.2f}")
            for test in tests
            for group in test["groups"]
            for score in group["scores"]
        ]
        if groups:
            parts.append(_table(("Test set", "Group", "Sentences", "Metric", "Score"), groups, right=(2, 4)))
    else:
        parts.append("The model has not been evaluated on a test set.")
    metric = recipe.training.validation.metric
    best = history.best(metric)
    if best is not None:
        beam = recipe.training.validation.beam
        parts += [
            f"Best validation, by {metric}, with {f'a beam of {beam}' if beam > 1 else 'greedy search'}:",
            _table(
                ("Update", "Epochs", "Loss, nats per piece", "Perplexity", "BLEU", "chrF"),
                [
                    (
                        f"{best['update']:,}",
                        str(best["epoch"]),
                        f"{best['loss']:.3f}",
                        f"{best['perplexity']:.2f}",
                        f"{best['bleu']:.2f}",
                        f"{best['chrf']:.2f}",
                    )
                ],
                right=range(6),
            ),
        ]
    return parts


def _scores(tests: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for test in tests:
        yield from test["scores"]


def _samples(directory: Path) -> list[str]:
    entries = read_entries(directory / SAMPLES)
    if not entries:
        return []
    entry = next((each for each in reversed(entries) if each["best"]), entries[-1])
    rows = []
    for sample in entry["samples"]:
        rows += [
            ("source", escaped(sample["source"])),
            ("reference", escaped(sample["reference"])),
            ("translation", f"**{escaped(sample['translation'])}**" if sample["translation"] else ""),
        ]
    return [
        "## Samples",
        f"Validation sentences, translated by the best model (update {entry['update']:,}); "
        f"[{SAMPLES}/{PAGE}]({SAMPLES}/{PAGE}) shows how they came about, and the attention.",
        _table(("", ""), rows),
    ]


def _training(history: History) -> list[str]:
    sittings = history.spans()
    speeds = [point.tokens_per_second for point in history.training if point.tokens_per_second > 0.0]
    device = history.sittings[-1][0].get("device", "") if history.sittings else ""
    rows = [
        ("Updates", f"{history.last_update:,}"),
        ("Epochs", str(history.validations[-1]["epoch"]) if history.validations else "-"),
        ("Validations", f"{len(history.validations):,}"),
        ("Ended after", str(history.end.get("reason", "not ended"))),
        ("Time in all, validations included", duration(sum(seconds for _, seconds in sittings))),
    ]
    if speeds:
        rows.append(("Target pieces per second, median", f"{statistics.median(speeds):,.0f}"))
    if history.training:
        what = "GPU memory" if device.startswith("cuda") else "Memory of the process"
        rows.append((f"{what}, peak", f"{max(point.memory_gib for point in history.training):.2f} GiB"))
    if history.skipped:
        rows.append(("Updates skipped", f"{sum(count for _, count in history.skipped):,}"))
    if history.rolled_back:
        rows.append(("Returns to earlier weights", f"after updates {_listed(history.rolled_back)}"))
    parts = ["## Training", _table(("", ""), rows)]
    if len(sittings) > 1:
        listed = [
            (str(number), f"{update:,}", duration(seconds)) for number, (update, seconds) in enumerate(sittings, 1)
        ]
        parts += ["By sitting:", _table(("Sitting", "From update", "Time"), listed, right=range(3))]
    return parts


def _corpora(recipe: Recipe, history: History) -> list[str]:
    sizes: dict[str, dict[str, int]] = history.sittings[-1][0].get("corpora", {}) if history.sittings else {}
    entries = {"training": recipe.corpus.train, "validation": recipe.corpus.validation, "test": recipe.corpus.test}
    rows = [
        (
            name,
            *(f"{sizes[name][key]:,}" if name in sizes else "" for key in ("pairs", "source_pieces", "target_pieces")),
            f"{sizes[name]['left_out']:,}" if name in sizes else "",
            "<br>".join(_where(entry.model_dump(exclude_defaults=True)) for entry in texts),
        )
        for name, texts in entries.items()
        if texts
    ]
    heads = ("Corpus", "Pairs", "Source pieces", "Target pieces", "Pairs left out", "From")
    return ["## Corpora", _table(heads, rows, right=range(1, 5))]


def _where(entry: dict[str, Any]) -> str:
    return ", ".join(f"{key} `{value}`" for key, value in entry.items())


def _system(recipe: Recipe, history: History) -> list[str]:
    first = history.sittings[-1][0] if history.sittings else {}
    model, tokenizer = recipe.model, recipe.tokenizer
    rows = [
        ("Parameters", f"{first['parameters']:,}" if "parameters" in first else "-"),
        ("Encoder", _stack(model.encoder)),
        ("Decoder", _stack(model.decoder)),
        ("Attention", f"{model.attention.type}, {model.attention.context}"),
        ("Tying", model.tying),
        ("Vocabulary", f"{tokenizer.algorithm}, {' and '.join(f'{size:,}' for size in _vocabularies(recipe, first))}"),
        ("Precision", str(first.get("precision", recipe.training.precision))),
        ("Seed", str(recipe.run.seed)),
    ]
    return [
        "## System",
        _table(("", ""), rows),
        f"<details>\n<summary>The whole recipe, every value filled in ({RECIPE})</summary>\n\n"
        f"```yaml\n{dump_recipe(recipe).rstrip()}\n```\n\n</details>",
    ]


def _stack(section: Any) -> str:
    count = f"{section.layers} layer{'s' * (section.layers != 1)}"
    directions = f", {section.directions}" if hasattr(section, "directions") else ""
    return f"{section.cell}{directions}, {count} of {section.hidden_size}, embeddings of {section.embedding_size}"


def _vocabularies(recipe: Recipe, first: dict[str, Any]) -> Sequence[int]:
    sizes: list[int] = first.get("vocabularies", [recipe.tokenizer.vocabulary_size])
    return sizes[:1] if recipe.tokenizer.joint else sizes


def _machine(history: History) -> list[str]:
    """The machine of every sitting, those that are alike together."""
    described: dict[str, list[int]] = {}
    for number, (record, _) in enumerate(history.sittings, 1):
        if "machine" in record:
            rows = [*_machine_rows(record), *_version_rows(record["versions"])]
            described.setdefault(_table(("", ""), rows), []).append(number)
    if not described:
        return []
    parts = ["## Machine"]
    for table, sittings in described.items():
        if len(described) > 1:
            parts.append(f"Sitting{'s' * (len(sittings) > 1)} {_listed(sittings)}:")
        parts.append(table)
    return parts


def _machine_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    machine = record["machine"]
    rows = [
        ("Processor", f"{machine['processor']}, {machine.get('cores', '?')} cores, threads used: {machine['threads']}"),
        ("Device", str(record["device"])),
        ("System", str(machine["system"])),
    ]
    if "memory_gib" in machine:
        rows.append(("Memory", f"{machine['memory_gib']} GiB"))
    if "gpu" in machine:
        rows.append(("GPU", f"{machine['gpu']}, {machine['gpu_memory_gib']} GiB"))
    return rows


def _version_rows(versions: dict[str, Any]) -> list[tuple[str, str]]:
    return [("Versions", ", ".join(f"{name} {version}" for name, version in versions.items()))]


def _commands(directory: Path, recipe: Recipe) -> list[str]:
    return [
        "## Commands",
        "To translate, to score the test sets again, and to repeat the training under another name, from the folder in "
        "which it was run:",
        f"```\nseq2seq-translate --model {directory} < input.{recipe.corpus.source_language}\n"
        f"seq2seq-evaluate --model {directory}\n"
        f"seq2seq-train {directory / RECIPE} run.name={recipe.run.name}-again\n```",
    ]


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(f"{number:,}" for number in numbers)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """A Markdown table; columns `right` are aligned to the right."""
    places = set(right)
    rule = ["---:" if place in places else "---" for place in range(len(heads))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))
