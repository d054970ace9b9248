"""Tests of the drawing of soft alignments: the weights, the labels, the files, and what cannot be drawn."""

import io
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import torch

from seq2seq.data.batch import make_batch
from seq2seq.errors import ModelError, UsageError
from seq2seq.plots.alignment import END, SoftAlignment, by_words, draw_alignment, written_pieces
from seq2seq.plots.figure import look, save
from seq2seq.soft_alignment import align, attention_weights
from seq2seq.translator import Translator
from tools.inspect_attention import main

SENTENCE = "Where is the station?"
TARGET = "Où est la gare ?"


def texts_of(svg: Path) -> list[str]:
    """What is written in a drawing."""
    drawing = ElementTree.fromstring(svg.read_bytes())
    return ["".join(element.itertext()).strip() for element in drawing.iter("{http://www.w3.org/2000/svg}text")]


def by_hand(words: str) -> SoftAlignment:
    """Two source words of three pieces, two target words of three pieces, and weights that are easy to add."""
    weights = numpy.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]])
    return SoftAlignment(("a", "b", words), ("d", "e", "f"), weights, (0, 0, 1), (0, 1, 1))


def test_pieces_are_written_so_that_people_can_read_them() -> None:
    pieces = ["▁Où", "▁", "est", "▁gare", "s", ",", "s", "'", "▁<0xC3>", "é", END]
    assert written_pieces(pieces) == ("Où", "␣", "est", "gare", "‿s", ",", "‿s", "'", "<0xC3>", "‿é", END)
    assert written_pieces(["no", "mark"]) == ("no", "‿mark")


def test_weights_between_words_add_up_over_the_source_and_are_means_over_the_target() -> None:
    words = by_words(by_hand("c"), ["ab", "c"], ["d", "ef"])
    numpy.testing.assert_allclose(words.weights, [[0.3, 0.7], [0.675, 0.325]], rtol=0, atol=1e-15)
    assert (words.source, words.target) == (("ab", "c"), ("d", "ef"))
    assert (words.source_words, words.target_words) == ((0, 1), (0, 1))


def test_weights_are_those_that_training_sees(translator: Translator) -> None:
    source = translator.source_tokenizer.encode_one(SENTENCE)
    target = translator.target_tokenizer.encode_one(TARGET)
    weights = attention_weights(translator, source, target)
    assert weights.shape == (len(target) + 1, len(source) + 1)
    numpy.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)
    # General attention by its formula: softmax of h W v, from the layers run over the whole sentences.
    model, seen = translator.model, []
    attention = model.decoder.attention
    assert attention is not None
    handle = attention.register_forward_hook(lambda _, inputs, outputs: seen.append((inputs, outputs)))
    tokenizer = translator.source_tokenizer
    batch = make_batch(
        [source], [target], source_eos_id=tokenizer.eos_id, source_pad_id=tokenizer.pad_id,
        bos_id=tokenizer.bos_id, eos_id=tokenizer.eos_id, pad_id=tokenizer.pad_id,
    )  # fmt: skip
    with torch.inference_mode():
        model(batch.source, batch.source_lengths, batch.target_in)
    handle.remove()
    queries, memory = seen[0][0][:2]
    expected = torch.softmax(queries[0] @ memory.keys[0].T, dim=-1)
    numpy.testing.assert_allclose(weights, expected.numpy(), atol=1e-5)


def test_a_given_target_is_read_and_a_missing_one_is_made(translator: Translator) -> None:
    given = align(translator, SENTENCE, target=TARGET)
    assert given.target == (
        *written_pieces(translator.target_tokenizer.pieces(translator.target_tokenizer.encode_one(TARGET))),
        END,
    )
    made = align(translator, SENTENCE, beam=2)
    translation = translator.translate(SENTENCE, beam=2)
    assert made.target == (*written_pieces(translation.pieces), *([END] if translation.finished else []))
    assert made.source == given.source
    assert made.weights.shape == (len(made.target), len(made.source))
    words = align(translator, SENTENCE, target=TARGET, words=True)
    assert words.source == ("Where", "is", "the", "station?", END)
    assert words.target == ("Où", "est", "la", "gare", "?", END)
    numpy.testing.assert_allclose(words.weights.sum(axis=1), 1.0, atol=1e-6)


def test_the_drawing_has_every_label_and_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with look():
            save(draw_alignment(by_hand("cœur $x$")), tmp_path / name / "drawn.file")
    svg = tmp_path / "one" / "drawn.file.svg"
    assert texts_of(svg)[:8] == ["a", "b", "cœur $x$", "source", "d", "e", "f", "target"]
    assert svg.read_bytes() == (tmp_path / "two" / "drawn.file.svg").read_bytes()
    assert (tmp_path / "one" / "drawn.file.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_drawing_is_darker_where_the_weight_is_larger(tmp_path: Path) -> None:
    with look():
        figure = draw_alignment(by_hand("c"))
    (mesh,) = (artist for artist in figure.axes[0].collections if artist.get_array() is not None)
    shades = mesh.get_array()
    assert shades is not None
    numpy.testing.assert_allclose(numpy.asarray(shades).reshape(3, 3), by_hand("c").weights)
    brightness = mesh.to_rgba(numpy.array([0.0, 0.5, 1.0]))[:, :3].sum(axis=1)
    assert list(brightness) == sorted(brightness, reverse=True)
    low, high = figure.axes[0].get_ylim()
    assert low > high, "the first target piece is at the top"


def test_long_sentences_have_smaller_cells_not_a_larger_wall() -> None:
    names = tuple(f"{number}" for number in range(150))
    long = SoftAlignment(names, names, numpy.eye(150), tuple(range(150)), tuple(range(150)))
    with look():
        assert max(draw_alignment(long).get_size_inches()) < 25


def test_the_command_draws_one_sentence_or_several(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--model", str(small_model), "--device", "cpu"]
    one = ["--target", TARGET, "--output", str(tmp_path / "one"), SENTENCE]
    assert main([*model, *one]) == 0
    assert "Où" in " ".join(texts_of(tmp_path / "one.svg")).replace(" ‿", "")
    lines = f"{SENTENCE}\n\nThe small cat sleeps.\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert main([*model, "--output", str(tmp_path / "many")]) == 0
    assert sorted(path.name for path in tmp_path.glob("many*")) == [
        "many-1.png", "many-1.svg", "many-2.png", "many-2.svg"
    ]  # fmt: skip
    assert capsys.readouterr().err == ""


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one sentence of a command that fails."""
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("inspect_attention: error: ")
    return line.removeprefix("inspect_attention: error: ")


def test_what_cannot_be_drawn_is_one_sentence(
    small_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = ["--model", str(small_model), "--output", str(tmp_path / "x")]
    assert said(capsys, *model, "   ") == "the sentence is empty, so there is nothing to align"
    assert said(capsys, *model, "--target", "", "word") == "the target is empty, so there is nothing to align"
    assert "more than the 200 that a picture holds" in said(capsys, *model, "--target", "a, " * 300, "word")
    assert "does not exist" in said(capsys, "--model", str(tmp_path / "none"), "word")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))
    assert said(capsys, *model, "--target", "un") == "--target belongs to one sentence, but standard input has 2"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    assert said(capsys, *model) == "give a sentence, or several on standard input, one a line"


def test_without_matplotlib_the_command_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    expected = "drawing needs matplotlib, which is not installed; pip install matplotlib brings it"
    assert said(capsys, "word") == expected


def test_a_model_that_weighs_nothing_is_one_sentence(
    translator: Translator, monkeypatch: pytest.MonkeyPatch, small_model_with: Callable[..., Translator]
) -> None:
    blind = small_model_with("none", "none")
    with pytest.raises(ModelError, match="no attention, so there is nothing to draw"):
        align(blind, SENTENCE)
    with pytest.raises(ModelError, match="no attention that weighs source positions"):
        align(blind, SENTENCE, target=TARGET)
    with pytest.raises(UsageError, match="empty"):
        align(translator, "")


@pytest.fixture(scope="module")
def small_model_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Translator]:
    """A function that makes a small model with another attention."""
    from tests.conftest import RECIPE, save_small_model

    def make(attention: str, context: str) -> Translator:
        text = RECIPE.replace("{type: general, context: output}", f"{{type: {attention}, context: {context}}}")
        folder = tmp_path_factory.mktemp("models") / attention
        return Translator.load(save_small_model(folder, recipe_text=text), device="cpu")

    return make


@pytest.mark.parametrize(
    ("attention", "context"),
    [
        ("additive", "input-feeding"), ("multihead", "output"), ("coverage", "output"), ("location", "input-feeding"),
        ("local-m", "output"), ("local-p", "output"), ("hard", "output"),
    ],
)  # fmt: skip
def test_every_kind_of_attention_can_be_drawn(
    attention: str, context: str, small_model_with: Callable[..., Translator]
) -> None:
    found = align(small_model_with(attention, context), SENTENCE, target=TARGET)
    assert found.weights.shape == (len(found.target), len(found.source))
    assert numpy.isfinite(found.weights).all()
    assert (found.weights >= 0).all()
    assert (found.weights.sum(axis=1) <= 1 + 1e-6).all()
    if attention == "hard":
        assert set(found.weights.flatten()) == {0.0, 1.0}
