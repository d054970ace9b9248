from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from seq2seq.data.batch import make_source
from seq2seq.errors import DeviceError, ModelError, UsageError
from seq2seq.model_directory import load_model
from seq2seq.search import Request, Rules, greedy_search
from seq2seq.translation_options import TranslationOptions
from seq2seq.translator import Translation, Translator

WORDS = [
    "the",
    "small",
    "cat",
    "dog",
    "station",
    "market",
    "where",
    "is",
    "it",
    "I",
    "would",
    "like",
    "two",
    "tickets",
    "please",
    "bread",
    "milk",
    "huit",
    "gare",
    "?",
    ",",
    ".",
    ":",
    "été",
]


def random_lines(number: int, *, seed: int = 2, longest: int = 12) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(0, longest))) for _ in range(number)]


def assert_same(found: list[Translation], expected: list[Translation]) -> None:
    assert [each.text for each in found] == [each.text for each in expected]
    assert [each.pieces for each in found] == [each.pieces for each in expected]
    assert [each.alignment for each in found] == [each.alignment for each in expected]
    assert [each.finished for each in found] == [each.finished for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-5)
        assert one.log_prob == pytest.approx(other.log_prob, abs=1e-4)
        assert one.piece_log_probs == pytest.approx(other.piece_log_probs, abs=1e-4)


@pytest.mark.parametrize("beam", [1, 4])
def test_neither_batch_size_nor_order_nor_company_changes_a_translation(translator: Translator, beam: int) -> None:
    lines = random_lines(40)
    alone = [translator.translate(line, beam=beam) for line in lines]
    assert len({translation.text for translation in alone}) > 15
    for batch_size in (3, 64):
        assert_same(translator.translate(lines, beam=beam, batch_size=batch_size), alone)
    assert_same(translator.translate(lines, beam=beam, max_tokens=60), alone)
    assert_same(translator.translate(lines[::-1], beam=beam), alone[::-1])
    shuffled = random.Random(2).sample(range(len(lines)), len(lines))
    company = random_lines(20, seed=5, longest=9)
    mixed = translator.translate([lines[index] for index in shuffled] + company, beam=beam, batch_size=17)
    assert_same(mixed[: len(lines)], [alone[index] for index in shuffled])


def test_a_beam_of_one_is_greedy_search(translator: Translator) -> None:
    line = "Where is the small market?"
    ids = translator.source_tokenizer.encode_one(line)
    tokenizer = translator.target_tokenizer
    source, lengths = make_source([ids], eos_id=tokenizer.eos_id, pad_id=tokenizer.pad_id)
    with torch.inference_mode():
        request = Request(
            max_lengths=torch.tensor([len(ids) + 8]),
            bos_id=tokenizer.bos_id,
            eos_id=tokenizer.eos_id,
            rules=Rules(forbidden=torch.tensor([tokenizer.pad_id, tokenizer.bos_id, tokenizer.unk_id])),
        )
        expected = greedy_search(translator.model, translator.model.start(source, lengths), request)[0]
    found = translator.translate(line, beam=1)
    assert found.text == tokenizer.decode([expected.ids])[0]
    assert found.log_prob == pytest.approx(expected.log_prob, abs=1e-5)


def test_the_score_is_what_teacher_forcing_gives(translator: Translator) -> None:
    line = "Where is the small market?"
    found = translator.translate(line, beam=4, length_penalty=0.7)
    assert found.finished
    tokenizer = translator.target_tokenizer
    all_pieces = tokenizer.pieces(range(tokenizer.vocabulary_size))
    ids = [all_pieces.index(piece) for piece in found.pieces]
    source = torch.tensor([[*translator.source_tokenizer.encode_one(line), tokenizer.eos_id]])
    with torch.inference_mode():
        read = translator.model(source, torch.tensor([source.shape[1]]), torch.tensor([[tokenizer.bos_id, *ids]]))
    expected = read.logits[0].log_softmax(dim=-1)[range(len(ids) + 1), [*ids, tokenizer.eos_id]]
    assert found.piece_log_probs == pytest.approx(expected.tolist(), abs=1e-4)
    assert found.log_prob == pytest.approx(float(expected.sum()), abs=1e-4)
    assert found.score == pytest.approx(found.log_prob / (len(ids) + 1) ** 0.7, abs=1e-5)


def test_n_best_is_best_first_distinct_and_begins_with_the_best(translator: Translator) -> None:
    lines = random_lines(12, seed=3)
    best = translator.translate(lines, beam=6)
    for n_best in (1, 4):
        found = translator.translate(lines, beam=6, n_best=n_best)
        assert_same([each[0] for each in found], best)
        for line, translations in zip(lines, found, strict=True):
            assert len(translations) == (n_best if line else 1)
            assert len({each.pieces for each in translations}) == len(translations)
            quality = [(each.finished, each.score) for each in translations]
            assert quality == sorted(quality, reverse=True)
    assert_same(translator.translate(lines[5], beam=6, n_best=4), found[5])


@pytest.mark.parametrize("text", ["", " ", "\t \u3000", "\u2028", "\u00a0"])
def test_a_line_without_pieces_has_an_empty_translation(translator: Translator, text: str) -> None:
    assert translator.source_tokenizer.encode_one(text) == []
    assert translator.translate(text) == Translation("", 0.0, 0.0, (), (), (), True, 0)
    assert [each.text for each in translator.translate(["", text, ""])] == ["", "", ""]
    assert len(translator.translate(text, n_best=3)) == 1


def test_nothing_to_translate(translator: Translator) -> None:
    assert translator.translate([]) == []
    assert translator.translate((), n_best=2) == []
    assert list(translator.stream([])) == []


@pytest.mark.parametrize(
    "text", ["\0", "a\0b", "😀", "漢字かな", "\ud800", "a\nb\r\nc", "\x0c", "x" * 3000, "\ufeff", "‮א"]
)
def test_strange_lines_give_one_line_each(translator: Translator, text: str) -> None:
    found = translator.translate(["cat", text, "dog"], max_input_pieces=200)
    assert_same([found[0], found[2]], translator.translate(["cat", "dog"]))
    assert "\n" not in found[1].text
    assert found[1].score <= 0.0


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (b"cat", "bytes"),
        (None, "None"),
        (3, "int"),
        ({"cat": 1}, "dict"),
        (iter(["cat"]), "list_iterator"),
    ],
)
def test_what_is_no_text_is_refused(translator: Translator, wrong: Any, what: str) -> None:
    with pytest.raises(UsageError, match=rf"^translate takes a line of text or a list of them, not .*{what}"):
        translator.translate(wrong)


def test_a_list_with_something_else_in_it_is_refused_with_its_place(translator: Translator) -> None:
    with pytest.raises(UsageError, match=r"^line 2 is bytes \(decode them first\), but a line must be text$"):
        translator.translate(["cat", b"dog"])  # type: ignore[list-item]
    with pytest.raises(UsageError, match=r"^line 4 is None, but"):
        list(translator.stream(iter(["a", "b", "c", None]), chunk=3))  # type: ignore[list-item]
    for wrong in ("cat", b"cat", 5):
        with pytest.raises(UsageError, match=r"^stream takes an iterable of lines, not"):
            translator.stream(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 0}, "beam must be a whole number of 1 or more, not 0"),
        ({"beam": 2.5}, "beam must be a whole number of 1 or more, not 2.5"),
        ({"beam": True}, "beam must be a whole number of 1 or more, not True"),
        ({"n_best": 0}, "n_best must be a whole number of 1 or more, not 0"),
        ({"beam": 2, "n_best": 3}, "n_best 3 is more than the beam of 2"),
        ({"batch_size": -1}, "batch_size must be"),
        ({"max_tokens": 0}, "max_tokens must be"),
        ({"length_penalty": -0.1}, "length_penalty must be a number of 0 or more, not -0.1"),
        ({"length_penalty": float("nan")}, "length_penalty must be"),
        ({"length_penalty": "1"}, "length_penalty must be a number of 0 or more, not '1'"),
        ({"max_length_ratio": float("inf")}, "max_length_ratio must be"),
        ({"max_length_offset": 0}, "max_length_offset must be"),
        ({"max_input_pieces": 0}, "max_input_pieces must be"),
        ({"split_sentences": 1}, "split_sentences must be True or False, not 1"),
        ({"long_input": "cut"}, "long_input must be split, truncate or error, not 'cut'"),
    ],
)
def test_options_that_cannot_be_used(translator: Translator, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match="^" + message):
        translator.translate("cat", **options)
    with pytest.raises(UsageError, match="^" + message):
        translator.translate_chunks(iter([["cat"]]), **options)  # at once, not at the first line


def test_an_unknown_option_is_a_type_error_as_anywhere_in_python(translator: Translator) -> None:
    with pytest.raises(TypeError, match="beem"):
        translator.translate("cat", beem=3)  # type: ignore[call-overload]


def test_the_maximum_length_cuts_off(translator: Translator) -> None:
    line = "Where is the small market?"
    pieces = len(translator.source_tokenizer.encode_one(line))
    assert len(translator.translate(line, beam=1).pieces) > 3
    found = translator.translate(line, max_length_ratio=0.1, max_length_offset=2, beam=1)
    assert not found.finished
    assert len(found.pieces) == int(0.1 * pieces) + 2 == len(found.piece_log_probs)


def test_threads_get_what_they_would_get_alone(translator: Translator) -> None:
    jobs = [random_lines(6, seed=seed, longest=8) for seed in range(8)]
    expected = [translator.translate(lines, beam=3) for lines in jobs]
    ready = threading.Barrier(4)

    def job(number: int) -> list[Translation]:
        if number < 4:
            ready.wait(timeout=30)
        return translator.translate(jobs[number], beam=3)

    with ThreadPoolExecutor(4) as pool:
        for found, alone in zip(pool.map(job, range(8)), expected, strict=True):
            assert_same(found, alone)


def test_a_stream_is_lazy_and_keeps_the_order(translator: Translator) -> None:
    lines = random_lines(25, longest=6)
    consumed = 0

    def source() -> Iterator[str]:
        nonlocal consumed
        for line in lines:
            consumed += 1
            yield line

    stream = translator.stream(source(), chunk=10, beam=2)
    assert consumed == 0
    first = next(stream)
    assert consumed == 10
    others = [next(stream) for _ in range(9)]
    assert consumed == 10
    others += [next(stream)]
    assert consumed == 20
    others += list(stream)
    assert consumed == 25
    assert_same([first, *others], translator.translate(lines, beam=2))


def test_long_lines_are_split_and_their_parts_translated_one_by_one(translator: Translator) -> None:
    one, two = "Where is the small dog.", "I would like two tickets please."
    limit = max(len(translator.source_tokenizer.encode_one(text)) for text in (one, two))
    parts = translator.translate([one, two], beam=3)
    assert all(part.text.strip() for part in parts)
    found = translator.translate(f"{one} {two}", beam=3, max_input_pieces=limit)
    assert found.text == f"{parts[0].text} {parts[1].text}"
    assert found.log_prob == pytest.approx(parts[0].log_prob + parts[1].log_prob, abs=1e-4)
    lengths = len(parts[0].piece_log_probs) + len(parts[1].piece_log_probs)
    assert found.score == pytest.approx(found.log_prob / lengths, abs=1e-5)
    words = len(parts[0].text.split())
    assert found.alignment == parts[0].alignment + tuple(
        (source + len(one.split()), target + words) for source, target in parts[1].alignment
    )
    lists = translator.translate(f"{one} {two}", beam=3, n_best=3, max_input_pieces=limit)
    of_parts = translator.translate([one, two], beam=3, n_best=3)
    assert [each.text for each in lists] == [f"{a.text} {b.text}".strip() for a, b in zip(*of_parts, strict=True)]


DOCUMENT = [
    "Where is the station? It is behind the market.\tMr. Cat would like two tickets!",
    "",
    "  ",
    "The small dog. 犬。猫？",
    "Where is the milk?",
]
SENTENCES_OF_DOCUMENT = [
    ["Where is the station?", "It is behind the market.", "Mr. Cat would like two tickets!"],
    [],
    [],
    ["The small dog.", "犬。", "猫？"],
    ["Where is the milk?"],
]


def test_sentences_are_translated_one_by_one_and_joined(translator: Translator) -> None:
    alone = [[translator.translate(text, beam=3) for text in texts] for texts in SENTENCES_OF_DOCUMENT]
    found = translator.translate(DOCUMENT, beam=3, split_sentences=True)
    for gaps, each, parts in zip([" \t", "", "", " ", ""], found, alone, strict=True):
        texts = [part.text for part in parts]
        if gaps == " ":  # the model writes no full-width marks, so a space takes their place
            assert each.text == f"{texts[0]} {texts[1]} {texts[2]}"
        else:
            assert each.text == "".join(text + gap for text, gap in zip(texts, [*gaps, ""], strict=False))
        assert each.log_prob == pytest.approx(sum(part.log_prob for part in parts), abs=1e-4)
        pieces = sum(len(part.piece_log_probs) for part in parts)
        assert each.score == pytest.approx(each.log_prob / max(1, pieces), abs=1e-5)
        assert each.pieces == tuple(piece for part in parts for piece in part.pieces)
        assert each.source_pieces == sum(part.source_pieces for part in parts)
    source_words, target_words, links = 0, 0, []
    for text, part in zip(SENTENCES_OF_DOCUMENT[0], alone[0], strict=True):
        links += [(source + source_words, target + target_words) for source, target in part.alignment]
        source_words += len(text.split())
        target_words += len(part.text.split())
    assert list(found[0].alignment) == links != []
    assert_same([found[4]], [translator.translate(DOCUMENT[4], beam=3)])
    assert_same(list(translator.stream(iter(DOCUMENT), chunk=2, beam=3, split_sentences=True)), found)


def test_sentences_of_all_lines_share_batches(translator: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    start: Callable[..., Any] = translator.model.start
    sizes = []

    def counting(source: torch.Tensor, lengths: torch.Tensor) -> Any:
        sizes.append(source.shape[0])
        return start(source, lengths)

    monkeypatch.setattr(translator.model, "start", counting)
    translator.translate(DOCUMENT, beam=1, split_sentences=True, batch_size=64)
    assert sizes == [7]


def test_lists_of_lines_in_sentences_are_made_of_the_lists_of_the_sentences(translator: Translator) -> None:
    of_parts = [translator.translate(text, beam=3, n_best=3) for text in SENTENCES_OF_DOCUMENT[0]]
    [found, blank] = translator.translate(DOCUMENT[:2], beam=3, n_best=3, split_sentences=True)
    assert [each.text for each in found] == [f"{a.text} {b.text}\t{c.text}" for a, b, c in zip(*of_parts, strict=True)]
    assert [each.text for each in blank] == [""]


def test_line_breaks_of_a_document_stay(translator: Translator) -> None:
    one, two = (translator.translate(text, beam=2).text for text in ("Where is it?", "bread and milk"))
    text = "\nWhere is it? Where is it?\n\n bread and milk\n"
    assert translator.translate(text, beam=2, split_sentences=True).text == f"\n{one} {one}\n\n {two}\n"
    assert translator.translate("bread and milk\n", beam=2, split_sentences=True).text == f"{two}\n"
    assert translator.translate(["\n\n", "\n"], beam=2, split_sentences=True)[0].text == "\n\n"
    assert "\n" not in translator.translate(text, beam=2).text


def test_long_lines_can_be_truncated_or_refused(translator: Translator) -> None:
    line = "Where is the dog. " * 30
    pieces = len(translator.source_tokenizer.encode_one("Where is the dog."))
    whole = translator.translate(line)
    cut = translator.translate(line, long_input="truncate")
    assert cut.source_pieces <= 40 < whole.source_pieces
    assert whole.text.startswith(cut.text)
    first = line[: len("Where is the dog. ") * (cut.source_pieces // pieces)]
    assert cut.text == translator.translate(first).text
    with pytest.raises(
        UsageError, match=r"^line 2 has 3\d\d pieces, but the model reads at most 40 at once; shorten it"
    ):
        translator.translate(["cat", line], long_input="error")
    with pytest.raises(UsageError, match=r"^line 5 has"):
        list(translator.stream(["cat"] * 4 + [line], chunk=2, long_input="error"))


@pytest.mark.parametrize(
    "line", ["dog, " * 200, "x" * 1500, "ab. " * 150 + "y" * 300 + " 漢字" * 100, " cat" * 50 + " "]
)
def test_alignments_name_words_of_the_raw_lines(translator: Translator, line: str) -> None:
    for text in (line, line[:40]):
        found = translator.translate(text, beam=2)
        assert {target for _, target in found.alignment} == set(range(len(found.text.split())))
        assert all(0 <= source < len(text.split()) for source, _ in found.alignment)
        assert len(set(found.alignment)) == len(found.alignment)


def test_alignments_can_be_left_out(translator: Translator) -> None:
    found = translator.translate("Where is the small market?", alignment=False)
    assert found.text == translator.translate("Where is the small market?").text != ""
    assert found.alignment == ()


def test_the_alignment_is_where_attention_is(translator: Translator) -> None:
    line = "Where is the small market?"
    found = translator.translate(line, beam=1)
    tokenizer = translator.target_tokenizer
    all_pieces = tokenizer.pieces(range(tokenizer.vocabulary_size))
    ids = [all_pieces.index(piece) for piece in found.pieces]
    source, lengths = make_source([translator.source_tokenizer.encode_one(line)], eos_id=3, pad_id=0)
    words = translator.source_tokenizer.words_of_pieces(line)[2]
    best: dict[int, list[float]] = {}
    with torch.inference_mode():
        state = translator.model.start(source, lengths)
        target = -1
        for token, piece in zip([tokenizer.bos_id, *ids], found.pieces, strict=False):
            _, state, attention = translator.model.step(torch.tensor([token]), state)
            assert attention is not None
            if target < 0 or piece.startswith("▁"):
                target += 1
            sums = best.setdefault(target, [0.0] * 5)
            for word, weight in zip(words, attention[0].tolist(), strict=False):
                sums[word] += weight
    if all(piece != "▁" for piece in found.pieces):
        assert found.alignment == tuple((sums.index(max(sums)), target) for target, sums in best.items())
    assert len(found.alignment) == len(found.text.split())


def test_options_come_from_the_recipe(small_model: Path) -> None:
    options = Translator.load(small_model, device="cpu").options
    search = load_model(small_model, device=torch.device("cpu")).recipe.search
    assert options == TranslationOptions(
        beam=search.beam,
        length_penalty=search.length_penalty,
        batch_size=8,
        max_input_pieces=40,
        max_length_ratio=1.0,
        max_length_offset=8,
    )


def test_a_batch_that_does_not_fit_into_memory_is_halved(
    translator: Translator, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = random_lines(20, seed=4, longest=6)
    expected = translator.translate(lines, beam=2)
    start: Callable[..., Any] = translator.model.start
    sizes = []

    def narrow(source: torch.Tensor, lengths: torch.Tensor) -> Any:
        sizes.append(source.shape[0])
        if source.shape[0] > 3:
            raise torch.OutOfMemoryError("out of memory")
        return start(source, lengths)

    monkeypatch.setattr(translator.model, "start", narrow)
    assert_same(translator.translate(lines, beam=2, batch_size=16), expected)
    assert max(sizes) > 3

    def full(source: torch.Tensor, lengths: torch.Tensor) -> Any:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(translator.model, "start", full)
    with pytest.raises(
        DeviceError, match=r"^a sentence of \d+ pieces with a beam of 2 does not fit into the memory of cpu"
    ):
        translator.translate(lines, beam=2)


def test_what_cannot_be_loaded(tmp_path: Path, small_model: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        Translator.load(tmp_path / "nothing")
    with pytest.raises(DeviceError, match="unknown device 'gpu'"):
        Translator.load(small_model, device="gpu")
    with pytest.raises(DeviceError, match="fp16 needs a GPU"):
        Translator.load(small_model, device="cpu", precision="fp16")


def test_prepared_models_translate_as_they_are(small_model: Path, translator: Translator) -> None:
    stored = load_model(small_model, device=torch.device("cpu"))
    slow = Translator(
        model=stored.model,
        source_tokenizer=stored.source_tokenizer,
        target_tokenizer=stored.target_tokenizer,
        options=translator.options,
        device=translator.device,
    )
    lines = random_lines(60, seed=8)
    for beam in (1, 4):
        found, expected = translator.translate(lines, beam=beam), slow.translate(lines, beam=beam)
        assert [each.text for each in found] == [each.text for each in expected]
        assert [each.log_prob for each in found] == pytest.approx([each.log_prob for each in expected], rel=1e-4)
