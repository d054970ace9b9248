"""The recipes of papers have the papers' sizes, and every option of a network has a recipe.

Networks are built on the `meta` device, where weights have shapes but no numbers. Each count is derived by hand, term
by term, from the published widths, and where there is a published number it is held against that too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import torch
from pydantic import BaseModel

from seq2seq.build import build_model
from seq2seq.recipe import Model, Recipe, load_recipe

ROOT = Path(__file__).parents[1]
PATHS = {path.stem: path for folder in ("recipes", "recipes/phrasebook") for path in (ROOT / folder).glob("*.yaml")}
RECIPES = {name: load_recipe(path) for name, path in sorted(PATHS.items())}


def parameters(recipe: Recipe, *, source: int | None = None, target: int | None = None) -> int:
    """How many numbers the network of a recipe has; `source` and `target` replace its vocabularies."""
    section = recipe.tokenizer
    with torch.device("meta"):
        network = build_model(
            recipe.model,
            source_vocabulary=source or section.vocabulary_size,
            target_vocabulary=target or section.target_vocabulary_size or section.vocabulary_size,
        )
    return sum(parameter.numel() for parameter in network.parameters())


# What recurs below: a layer with `i` inputs and `h` units. Matrices on inputs and on the state, then the biases.


def lstm(i: int, h: int) -> int:
    """Four gates, two biases each, as cuDNN has them; with layer normalisation one bias and one gain."""
    return 4 * (h * i + h * h + 2 * h)


def gru(i: int, h: int, *, vectors: int) -> int:
    """Three gates; `vectors` is 1 with the reset gate before the product, 2 after it, 4 with layer normalisation."""
    return 3 * (h * i + h * h + vectors * h)


def test_sutskever() -> None:
    source, target, width = 160_000, 80_000, 1000
    embeddings = source * width + target * width  # 160M and 80M
    softmax = target * width  # 80M
    recurrent = 2 * 4 * 4 * (width * width + width * width)  # 8 layers of 8M: the 64M of the paper
    assert recurrent == 64_000_000
    assert embeddings + softmax + recurrent == 384_000_000  # as published
    biases = 2 * 4 * 4 * 2 * width + target  # which the paper does not count
    assert parameters(RECIPES["sutskever-2014"]) == 384_000_000 + biases == 384_144_000


def test_cho() -> None:
    words, embed, width, maxout = 15_000, 100, 1000, 500
    embeddings = 2 * words * embed
    encoder = gru(embed, width, vectors=1)
    summary = width * width
    bridge = width * width + width
    decoder = gru(embed + width, width, vectors=1)  # reads the embedding and the summary
    readout = 2 * maxout * (width + embed + width) + 2 * maxout  # of state, embedding and summary
    output = words * maxout + words
    assert parameters(RECIPES["cho-2014"]) == embeddings + encoder + summary + bridge + decoder + readout + output
    assert parameters(RECIPES["cho-2014"]) == 24_223_000


def test_bahdanau() -> None:
    # The letters of sections A.1.2 and A.2.3.
    words, m, n, n_alignment, maxout = 30_000, 620, 1000, 1000, 500
    embeddings = 2 * words * m
    encoder = 2 * gru(m, n, vectors=1)
    alignment = n_alignment * n + n_alignment * 2 * n + n_alignment + n_alignment  # W_a, U_a, its bias, v_a
    bridge = n * n + n  # W_s on the backward direction
    decoder = gru(m + 2 * n, n, vectors=1)
    readout = 2 * maxout * (n + m + 2 * n) + 2 * maxout  # U_o, V_o, C_o and a bias
    output = words * maxout + words
    expected = embeddings + encoder + alignment + bridge + decoder + readout + output
    assert parameters(RECIPES["bahdanau-2014"]) == expected == 80_443_000


def test_luong() -> None:
    words, width = 50_000, 1000
    embeddings = 2 * words * width
    encoder = 4 * lstm(width, width)
    decoder = lstm(width + width, width) + 3 * lstm(width, width)  # the first reads what is fed back too
    score = width * width  # W_a of the general score
    position = width * width + width  # W_p and v_p
    readout = width * (width + width)  # W_c
    output = words * width + words
    expected = embeddings + encoder + decoder + score + position + readout + output
    assert parameters(RECIPES["luong-2015"]) == expected == 222_115_000


def test_gnmt() -> None:
    pieces, width = 32_000, 1024
    embeddings = 2 * pieces * width
    encoder = 2 * lstm(width, width) + lstm(2 * width, width) + 6 * lstm(width, width)
    decoder = lstm(width, width) + 7 * lstm(width + width, width)  # all but the first read the context
    attention = width * width + width * width + width + width
    output = pieces * width + pieces
    assert parameters(RECIPES["gnmt-2016"]) == embeddings + encoder + decoder + attention + output == 276_735_232


def test_gnmt_v2() -> None:
    pieces, width = 32_320, 1024
    embedding = pieces * width  # one for both sides
    encoder = 2 * lstm(width, width) + lstm(2 * width, width) + 2 * lstm(width, width)
    decoder = lstm(width, width) + 3 * lstm(width + width, width)
    attention = width * width + width * width + width + 1 + width  # linear_q, linear_k, v, g, b
    classifier = pieces * width + pieces
    assert parameters(RECIPES["gnmt-v2"]) == embedding + encoder + decoder + attention + classifier
    assert parameters(RECIPES["gnmt-v2"]) == 160_671_297  # as published


def test_nematus() -> None:
    pieces, embed, width = 90_000, 512, 1024
    context = 2 * width
    # Of what every gate reads: a matrix, and the bias and the gain of its layer normalisation.
    transition = 3 * (width * width + 2 * width)  # of a state alone
    reading_source = transition + 3 * (width * embed + 2 * width)
    encoder = 2 * (reading_source + 3 * transition)  # depth 4, both directions
    bridge = width * context + width
    reading_target = transition + 3 * (width * embed + 2 * width)
    reading_context = transition + 3 * (width * context + 2 * width)
    decoder = reading_target + reading_context + 6 * transition  # depth 8
    attention = context * width + context * context + context + context
    readout = embed * (width + embed + context) + embed
    output = pieces  # its bias; its matrix is the target embedding
    embeddings = 2 * pieces * embed
    expected = embeddings + encoder + bridge + decoder + attention + readout + output
    assert parameters(RECIPES["nematus-2017"]) == expected == 163_943_824


def test_benchmark_small() -> None:
    pieces, embed, width = 8000, 256, 512
    embeddings = 2 * pieces * embed  # nothing is tied
    encoder = 2 * lstm(embed, width // 2)
    bridge = width * 2 * width + 2 * width  # h and c
    decoder = lstm(embed, width)
    attention = width * width
    readout = width * (width + width)
    output = pieces * width + pieces
    expected = embeddings + encoder + bridge + decoder + attention + readout + output
    assert parameters(RECIPES["benchmark-small"]) == expected == 12_141_376


def lium_cvc(source: int, target: int) -> int:
    embed, width = 128, 256
    context = 2 * width
    embeddings = source * embed + target * embed
    encoder = 2 * gru(embed, width, vectors=4)
    bridge = width * context + width
    decoder = gru(embed, width, vectors=2) + gru(context, width, vectors=2)
    attention = context * width + context * context + context + context
    readout = embed * (width + embed + context) + embed
    output = target * embed + target
    return embeddings + encoder + bridge + decoder + attention + readout + output


def test_lium_cvc() -> None:
    assert parameters(RECIPES["lium-cvc-2017"]) == lium_cvc(5500, 6500) == 4_498_660
    # With the vocabularies of English-German, for which the paper gives 4.6M.
    count = parameters(RECIPES["lium-cvc-2017"], source=5234, target=7052)
    assert count == lium_cvc(5234, 7052)
    assert round(count / 1e6, 1) == 4.6


def test_rnmt_plus() -> None:
    pieces, width, heads = 32_000, 1024, 4
    embeddings = 2 * pieces * width
    encoder = 2 * lstm(width, width) + 5 * 2 * lstm(2 * width, width)
    projection = width * 2 * width + width
    decoder = 8 * lstm(width + width, width)  # every layer reads the context
    head = width // heads
    # Projections of query and source, then within a head, the same for all, one of each and the vector of the score.
    attention = 2 * (width * width + width) + 2 * head * head + head
    softmax = pieces * (width + width) + pieces  # reads the context too
    count = parameters(RECIPES["rnmt-plus-2018"])
    assert count == embeddings + encoder + projection + decoder + attention + softmax
    assert round(count / 1e6, 1) == 378.9  # as published


@pytest.mark.parametrize(
    "name",
    [
        "bahdanau-2014",
        "cho-2014",
        "gnmt-2016",
        "gnmt-v2",
        "lium-cvc-2017",
        "luong-2015",
        "nematus-2017",
        "rnmt-plus-2018",
        "sutskever-2014",
    ],
)
def test_a_paper_recipe_says_its_count(name: str) -> None:
    text = PATHS[name].read_text(encoding="utf-8")
    header = text.partition("\ncorpus:")[0]
    assert f"{parameters(RECIPES[name]):,}" in " ".join(line.removeprefix("#").strip() for line in header.splitlines())
    assert "Published" in header
    assert "Departs:" in header


def test_the_documentation_has_every_recipe_and_its_count() -> None:
    rows = {}
    for line in (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| ["):
            rows[line[3 : line.index("]")]] = line
    assert rows.keys() == RECIPES.keys()
    for name, recipe in RECIPES.items():
        assert f"| {parameters(recipe):,} |" in rows[name]


def test_every_recipe_is_named_after_its_file() -> None:
    assert {name: recipe.run.name for name, recipe in RECIPES.items()} == {name: name for name in RECIPES}


# Every option of a network has a recipe that uses it.


def keys(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key below a section, dotted, and its type."""
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from keys(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", kind


def twins(key: str) -> set[str]:
    """Encoder and decoder share most of their keys; a recipe that uses one of the two is enough."""
    return {key, key.replace("encoder.", "decoder."), key.replace("decoder.", "encoder.")} & KEYS.keys()


def section_of(model: Model, key: str) -> tuple[Any, str]:
    """The section in which a dotted key stands, and its name there."""
    *path, name = key.split(".")
    section: Any = model
    for part in path:
        section = getattr(section, part)
    return section, name


KEYS = dict(keys(Model))
CHOICES = [(key, choice) for key, kind in KEYS.items() if get_origin(kind) is Literal for choice in get_args(kind)]


@pytest.mark.parametrize(("key", "choice"), CHOICES, ids=[f"{key}-{choice}" for key, choice in CHOICES])
def test_every_choice_has_a_recipe(key: str, choice: str) -> None:
    places = [section_of(recipe.model, twin) for recipe in RECIPES.values() for twin in twins(key)]
    assert any(getattr(section, name) == choice for section, name in places)


@pytest.mark.parametrize("key", [key for key, kind in KEYS.items() if get_origin(kind) is not Literal])
def test_every_other_key_is_written_in_a_recipe(key: str) -> None:
    places = [section_of(recipe.model, twin) for recipe in RECIPES.values() for twin in twins(key)]
    assert any(name in section.model_fields_set for section, name in places)
