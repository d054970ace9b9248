from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from seq2seq import searching
from seq2seq.translator import Translator

LINES = ["Where is the station?", "", "I would like two tickets, please.", "the small dog"]
TEXT = ("\n".join(LINES) + "\n").encode()


@pytest.fixture
def expected(translator: Translator) -> list[str]:
    texts = [translation.text for translation in translator.translate(LINES)]
    assert texts[1] == ""
    assert all(texts[index] for index in (0, 2, 3))
    return texts


def test_lines_in_lines_out(command, small_model: Path, expected: list[str]) -> None:
    ended = command("translate", "--model", small_model, "--device", "cpu", stdin=TEXT)
    assert ended.status == 0
    assert ended.lines == expected
    model, summary = ended.said.splitlines()
    assert model == f"seq2seq-translate: model {small_model} (--model) on cpu, fp32"
    assert summary.startswith("seq2seq-translate: 4 sentences in ")
    assert "target tokens/s" in summary


def test_quiet_says_nothing(command, small_model: Path, expected: list[str]) -> None:
    ended = command("translate", "-m", small_model, "--quiet", stdin=TEXT)
    assert (ended.lines, ended.said) == (expected, "")


@pytest.mark.parametrize("text", [TEXT[:-1], TEXT.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + TEXT])
def test_the_last_break_carriage_returns_and_a_byte_order_mark_do_not_matter(
    command, small_model: Path, expected: list[str], text: bytes
) -> None:
    assert command("translate", "-m", small_model, stdin=text).lines == expected


def test_no_line_in_no_line_out(command, small_model: Path) -> None:
    ended = command("translate", "-m", small_model, stdin=b"")
    assert (ended.status, ended.output) == (0, b"")
    assert command("translate", "-m", small_model, stdin=b"\n").output == b"\n"


@pytest.mark.parametrize("batch_size", ["--batch-size=1", "--batch-size=3", "--max-tokens=50"])
def test_as_many_lines_come_out_whatever_they_hold(command, small_model: Path, batch_size: str) -> None:
    strange = [
        b"",
        b"  ",
        b"a\xe2\x80\xa8b",  # U+2028
        b"a\xc2\x85b\x0b\x0c\x1cc",
        b"a\rb",
        b"\r",
        b"\0",
        "😀👩‍👩‍👧".encode(),
        "漢字かな交じり文".encode(),
        b"\xff\xfe broken \xc3",
        b"\xed\xa0\x80",
        b"cat " * 60,
        b"x" * 200,
        "‮".encode(),
    ]
    mixed = [line for each in strange for line in (each, b"the small dog")]
    ended = command("translate", "-m", small_model, "--beam", 2, batch_size, stdin=b"\n".join(mixed))
    assert ended.status == 0
    assert len(ended.lines) == len(mixed)
    assert len(set(ended.lines[1::2])) == 1
    assert "\r" not in ended.output.decode()
    assert ended.said.splitlines()[-1] == (
        "seq2seq-translate: warning: the input is not UTF-8 in 6 places of 2 lines, first in line 19; "
        "U+FFFD stands there now"
    )


def test_a_line_of_twenty_thousand_words(command, small_model: Path) -> None:
    text = b"cat, dog. " * 10_000
    arguments = ("--max-input-pieces", 200, "--batch-size", 256, "--beam", 1, "--max-length-ratio", 0.01)
    ended = command("translate", "-m", small_model, *arguments, "--json", stdin=text + b"\ndog")
    assert len(ended.lines) == 2
    long = json.loads(ended.lines[0])
    words = [source for source, _ in long["alignment"]]
    assert max(words) > 19_000
    assert words == sorted(words) or max(words) < 20_000


def test_files_plain_and_compressed(command, small_model: Path, expected: list[str], tmp_path: Path) -> None:
    plain, packed = tmp_path / "in.txt", tmp_path / "packed"
    plain.write_bytes(TEXT)
    packed.write_bytes(gzip.compress(TEXT))
    for source in (plain, packed):
        ended = command("translate", "-m", small_model, "--src", source, "-o", tmp_path / "out.txt")
        assert (ended.status, ended.output) == (0, b"")
        assert (tmp_path / "out.txt").read_text("utf-8").split("\n") == [*expected, ""]
    command("translate", "-m", small_model, "-i", packed, "--output", tmp_path / "out.gz")
    assert gzip.decompress((tmp_path / "out.gz").read_bytes()).decode().split("\n") == [*expected, ""]
    assert sorted(os.listdir(tmp_path)) == ["in.txt", "out.gz", "out.txt", "packed"]
    assert command("translate", "-m", small_model, "-i", "-", "-o", "-", stdin=TEXT).lines == expected


def test_a_file_is_complete_or_not_there(command, small_model: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("dog\n" * 8 + "cat " * 100 + "\n")
    target.write_text("precious")
    arguments = ("-m", small_model, "-i", source, "-o", target, "--long-input", "error", "--batch-size", 8)
    ended = command("translate", *arguments)
    assert ended.status == 2
    assert "error: line 9 has " in ended.said
    assert target.read_text() == "precious"
    assert (tmp_path / "out.txt.partial").read_text().count("\n") == 8
    assert f"the first 8 lines are in {tmp_path}/out.txt.partial" in ended.said
    source.write_text("cat " * 100 + "\n")
    assert command("translate", *arguments).error.startswith("line 1 has ")
    assert sorted(os.listdir(tmp_path)) == ["in.txt", "out.txt"]


@pytest.mark.parametrize("flags", [["--n-best", "3"], ["--nbest=3"], ["--n-best", "--beam", "3"]])
def test_n_best_lists_are_those_of_moses(command, small_model: Path, translator: Translator, flags: list[str]) -> None:
    beam = 3 if "--beam" in flags else 5
    ended = command("translate", "-m", small_model, *flags, stdin=TEXT)
    found = [line.split(" ||| ") for line in ended.lines]
    wanted = translator.translate(LINES, n_best=3, beam=beam)
    assert [int(fields[0]) for fields in found] == [0, 0, 0, 1, 2, 2, 2, 3, 3, 3]
    assert [fields[1] for fields in found] == [each.text for translations in wanted for each in translations]
    for fields, each in zip(found, [each for translations in wanted for each in translations], strict=True):
        assert fields[2].startswith("logprob= ")
        assert float(fields[2].removeprefix("logprob= ")) == pytest.approx(each.log_prob, abs=1e-3)
        assert float(fields[3]) == pytest.approx(each.score, abs=1e-3)
        assert len(fields) == 4


def test_ids_count_on_from_batch_to_batch(command, small_model: Path) -> None:
    ended = command("translate", "-m", small_model, "--n-best", 2, "--batch-size", 1, "--beam", 2, stdin=b"dog\n" * 25)
    assert [line.split(" ||| ")[0] for line in ended.lines] == [str(number) for number in range(25) for _ in range(2)]


def test_scores_and_alignments(command, small_model: Path, translator: Translator) -> None:
    wanted = translator.translate(LINES)
    pharaoh = [" ".join(f"{source}-{target}" for source, target in each.alignment) for each in wanted]
    assert pharaoh[0].startswith(tuple("01234"))
    found = command("translate", "-m", small_model, "--alignment", stdin=TEXT).lines
    assert found == [f"{each.text} ||| {links}" for each, links in zip(wanted, pharaoh, strict=True)]
    found = command("translate", "-m", small_model, "--scores", stdin=TEXT).lines
    for line, each in zip(found, wanted, strict=True):
        text, score = line.split(" ||| ")
        assert text == each.text
        assert float(score) == pytest.approx(each.score, abs=1e-3)
    both = command("translate", "-m", small_model, "--scores", "--alignment", stdin=TEXT).lines
    assert both[0].split(" ||| ")[2] == pharaoh[0]
    n_best = command("translate", "-m", small_model, "--n-best", "1", "--alignment", stdin=TEXT).lines
    assert n_best[0].split(" ||| ")[4] == pharaoh[0]


def test_json_lines(command, small_model: Path, translator: Translator) -> None:
    found = [json.loads(line) for line in command("translate", "-m", small_model, "--json", stdin=TEXT).lines]
    for record, each in zip(found, translator.translate(LINES), strict=True):
        assert record == {
            "translation": each.text,
            "score": pytest.approx(each.score, abs=1e-4),
            "log_prob": pytest.approx(each.log_prob, abs=1e-3),
            "tokens": list(each.pieces),
            "token_log_probs": pytest.approx(list(each.piece_log_probs), abs=1e-5),
            "word_confidences": pytest.approx(list(each.word_confidences), abs=1e-5),
            "alignment": [list(pair) for pair in each.alignment],
            "finished": each.finished,
        }
    found = [
        json.loads(line) for line in command("translate", "-m", small_model, "--json", "--n-best=2", stdin=TEXT).lines
    ]
    assert [len(record["n_best"]) for record in found] == [2, 1, 2, 2]
    assert found[0]["n_best"][0]["translation"] == found[0]["translation"]


def test_search_options_reach_the_search(command, small_model: Path, translator: Translator) -> None:
    wanted = translator.translate(LINES, beam=2, length_penalty=0.0, max_length_ratio=0.2, max_length_offset=3)
    aliases = ("--beam-size", 2, "--lenpen", 0, "--max-length-ratio", 0.2, "--max-length-offset", 3)
    found = command("translate", "-m", small_model, *aliases, stdin=TEXT).lines
    assert found == [each.text for each in wanted] != [each.text for each in translator.translate(LINES)]
    short = command("translate", "-m", small_model, "--max-input-pieces", 4, "--long-input=truncate", stdin=TEXT).lines
    wanted = translator.translate(LINES, max_input_pieces=4, long_input="truncate")
    assert short == [each.text for each in wanted]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--beam", "0"], "--beam-size: must be a whole number of 1 or more, not '0'; see seq2seq-translate --help"),
        (["--beam", "many"], "--beam-size: must be a whole number of 1 or more, not 'many'"),
        (["--length-penalty", "nan"], "--alpha: must be a number of 0 or more, not 'nan'"),
        (["--max-length-ratio", "0"], "--max-length-ratio: must be a number above 0, not '0'"),
        (["--beem", "3"], "there is no option --beem; did you mean --beam? See seq2seq-translate --help"),
        (["--be", "3"], "there is no option --be"),
        (["-z"], "there is no option -z; see"),
        (
            ["input.txt"],
            "input.txt (--model): does not exist; name directories that seq2seq-train wrote, and a text with",
        ),
        (["{here}/in"], "{here}/in (--model): is a file; name directories that seq2seq-train wrote, and a text with"),
        (["-b", "2", "input.txt"], "'input.txt' is one argument too many"),
        (["--n-best", "4", "--beam", "3"], "--n-best 4 is more than --beam 3"),
        (["--n-best", "9"], "n_best 9 is more than the beam of 5"),
        (["--device", "gpu"], "unknown device 'gpu'; use auto, cpu, cuda or cuda:N"),
        (["--precision", "fp8"], "argument --precision: invalid choice: 'fp8'"),
        (["--device", "cpu", "--precision", "fp16"], "precision fp16 needs a GPU"),
        (["--long-input", "cut"], "argument --long-input: invalid choice: 'cut'"),
        (["-i", "{here}/missing"], "the input file {here}/missing does not exist"),
        (["-i", "{here}"], "the input file {here} is a folder"),
        (["-i", "{here}/bad.gz"], "the input file {here}/bad.gz is a damaged or incomplete gz file"),
        (["-o", "{here}"], "the output {here} is a folder"),
        (["-o", "{here}/no/out"], "the folder {here}/no for the output out does not exist"),
        (["-i", "{here}/in", "-o", "{here}/in"], "the output {here}/in is the input too"),
        (["-m", "{here}/missing"], "{here}/missing (--model): does not exist"),
        (["-m", "{here}"], "{here} (--model): is no model directory, format.json is missing"),
        (["-m", "{here}/in"], "{here}/in (--model): is a file; name the model directory, such as {here}"),
    ],
)
def test_bad_input_is_one_sentence(
    command, small_model: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "in").write_text("cat")
    (tmp_path / "bad.gz").write_bytes(gzip.compress(TEXT * 50)[:-9])
    placed = [argument.replace("{here}", str(tmp_path)) for argument in arguments]
    model = [] if "-m" in arguments else ["-m", small_model]
    ended = command("translate", *model, *placed, stdin=TEXT)
    assert message.replace("{here}", str(tmp_path)) in ended.error


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full on this system")
def test_a_full_disk_is_one_sentence(command, small_model: Path) -> None:
    ended = command("translate", "-m", small_model, "-o", "/dev/full", stdin=TEXT)
    assert ended.error == "cannot write /dev/full: No space left on device"


def test_utf_16_is_named(command, small_model: Path) -> None:
    ended = command("translate", "-m", small_model, stdin="cat\n".encode("utf-16"))
    assert "it looks like UTF-16, which iconv converts" in ended.said


def test_penalties_limits_and_groups_reach_the_search(command, small_model: Path, translator: Translator) -> None:
    options = ("--normalization", "gnmt", "--word-penalty", "-0.5", "--coverage-penalty", 0.2, "--no-repeat-ngram", 2)
    limits = ("--max-length", 9, "--min-length", 3, "--min-length-ratio", 0.2, "--stopping", "heuristic")
    ended = command("translate", "-m", small_model, *options, *limits, "--scores", stdin=TEXT)
    wanted = translator.translate(
        LINES, normalization="gnmt", word_penalty=-0.5, coverage_penalty=0.2, no_repeat_ngram=2, max_length=9,
        min_length=3, min_length_ratio=0.2, stopping="heuristic",
    )  # fmt: skip
    assert ended.lines == [f"{each.text} ||| {each.score:.4f}" for each in wanted]
    diverse = ("--beam", 6, "--n-best", "--diversity-groups", 3, "--diversity-strength", 2)
    ended = command("translate", "-m", small_model, *diverse, stdin=TEXT)
    several = translator.translate(LINES, beam=6, n_best=6, diversity_groups=3, diversity_strength=2.0)
    assert [line.split(" ||| ")[1] for line in ended.lines] == [each.text for best in several for each in best]


@pytest.mark.parametrize("stopping", ["exact", "heuristic"])
def test_when_to_stop_reaches_the_search(
    stopping: str, command, small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    scoring_of = searching.scoring_of
    monkeypatch.setattr(searching, "scoring_of", lambda options: asked.append(options.stopping) or scoring_of(options))
    assert command("translate", "-m", small_model, "--stopping", stopping, stdin=TEXT).status == 0
    assert set(asked) == {stopping}


def test_samples(command, small_model: Path, translator: Translator) -> None:
    options = ("--seed", 7, "--temperature", 0.8, "--top-k", 50, "--top-p", 0.9, "--epsilon", 0.001)
    ended = command("translate", "-m", small_model, "--sample", *options, stdin=TEXT)
    keywords = {"seed": 7, "temperature": 0.8, "top_k": 50, "top_p": 0.9, "epsilon": 0.001}
    wanted = translator.translate(LINES, method="sampling", **keywords)
    assert ended.lines == [each.text for each in wanted]
    ended = command("translate", "-m", small_model, "--mbr", 9, "--utility", "bleu", "--scores", *options, stdin=TEXT)
    wanted = translator.translate(LINES, method="mbr", samples=9, utility="bleu", **keywords)
    assert ended.lines == [f"{each.text} ||| {each.score:.4f}" for each in wanted]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--top-p", "0.9"], "--top-p is for samples; give --sample or --mbr, or leave it out"),
        (["--seed", "1"], "--seed is for samples"),
        (["--sample", "--beam", "3"], "--beam is for beam search, which --sample and --mbr replace; leave it out"),
        (["--mbr", "--diversity-groups", "2"], "--diversity-groups is for beam search"),
        (["--sample", "--utility", "bleu"], "--utility is for minimum Bayes risk; give --mbr"),
        (["--diversity-strength", "2"], "--diversity-strength needs --diversity-groups"),
        (["--beam", "5", "--diversity-groups", "2"], "a beam of 5 cannot be divided into 2 equal groups"),
        (["--sample", "--n-best"], "--n-best needs a number with --sample: how many samples of every line"),
        (["--sample", "--mbr"], "argument --mbr: not allowed with argument --sample"),
        (["--top-p", "1.5"], "argument --top-p: must be a number above 0 and not above 1, not '1.5'"),
        (["--epsilon", "1"], "argument --epsilon: must be a number of 0 or more, below 1, not '1'"),
        (["--word-penalty", "much"], "argument --word-penalty: must be a number, not 'much'"),
        (["--min-length", "-1"], "argument --min-length: must be a whole number of 0 or more, not '-1'"),
    ],
)
def test_search_options_that_cannot_be_used(command, small_model: Path, options: list[str], message: str) -> None:
    assert command("translate", "-m", small_model, *options, stdin=TEXT).error.startswith(message)


def test_json_has_the_attention_between_words(command, small_model: Path, translator: Translator) -> None:
    ended = command("translate", "-m", small_model, "--json", "--soft-alignment", stdin=TEXT)
    wanted = translator.translate(LINES, soft_alignment=True)
    for line, best in zip(ended.lines, wanted, strict=True):
        record = json.loads(line)
        assert len(record["soft_alignment"]) == len(best.text.split())
        for row, weights in zip(record["soft_alignment"], best.soft_alignment, strict=True):
            assert row == pytest.approx(weights, abs=1e-4)
    assert "soft_alignment" not in command("translate", "-m", small_model, "--json", stdin=TEXT).output.decode()


def test_what_is_carried_over(command, small_model: Path, translator: Translator) -> None:
    lines = ["<b>The small cat</b> sleeps.", "Where is www.example.org please", "<br/>"]
    ended = command("translate", "-m", small_model, "--carry-over", "tags", "urls", stdin="\n".join(lines).encode())
    assert ended.lines == [each.text for each in translator.translate(lines, carry_over=("tags", "urls"))]
    assert ended.lines[0].count("<b>") == ended.lines[0].count("</b>") == 1
    assert ended.lines[2] == "<br/>"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--soft-alignment"], "--soft-alignment is part of the JSON; add --json, or leave it out"),
        (["--carry-over", "names"], "argument --carry-over: invalid choice: 'names'"),
    ],
)
def test_what_cannot_be_asked_of_words(command, small_model: Path, options: list[str], message: str) -> None:
    assert command("translate", "-m", small_model, *options, stdin=TEXT).error.startswith(message)


def test_a_page_of_alignments(command, small_model: Path, translator: Translator, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ended = command("translate", "-m", small_model, "--alignment-page", page, stdin=TEXT)
    wanted = translator.translate(LINES)
    assert ended.lines == [each.text for each in wanted]
    text = page.read_text("utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("</html>\n")
    assert f"3 of {len(LINES)} lines" in text  # one is empty
    assert text.count("<td") == sum(
        len(line.split()) * len(each.text.split()) for line, each in zip(LINES, wanted, strict=True)
    )
    folder = command("translate", "-m", small_model, "--alignment-page", tmp_path, stdin=TEXT)
    assert folder.error.startswith(f"the output {tmp_path} is a folder")
