import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from seq2seq.errors import CorpusError
from seq2seq.text.corpus import ParallelText, SentencePair, read_pairs, text_fingerprint

PAIRS = [
    ("A dog.", "Un chien."),
    ("", "vide"),
    ("\u2028 cr\rhere\x0c", "tab, \u0085 “quoted” \"'"),
    ("2020-01-01", "1"),
]
EXPECTED = [(source, target) for source, target in PAIRS]


def text(**fields: Any) -> ParallelText:
    return ParallelText(**{"source_language": "en", "target_language": "fr", **fields})


def read(**fields: Any) -> list[SentencePair]:
    return list(read_pairs(text(**fields)))


def sentences(**fields: Any) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in read(**fields)]


def write(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def lines(side: int) -> str:
    return "".join(pair[side] + "\n" for pair in PAIRS)


def write_prefix(folder: Path) -> str:
    write(folder / "train.en", lines(0))
    write(folder / "train.fr", lines(1))
    return str(folder / "train")


def test_prefix_plain_and_gz(tmp_path: Path) -> None:
    prefix = write_prefix(tmp_path)
    pairs = read(prefix=prefix)
    assert pairs == [SentencePair(source, target, number, None) for number, (source, target) in enumerate(PAIRS, 1)]
    os.remove(prefix + ".fr")
    write(tmp_path / "train.fr.gz", gzip.compress(lines(1).encode()))
    assert sentences(prefix=prefix) == EXPECTED


def test_two_paths(tmp_path: Path) -> None:
    source, target = write(tmp_path / "s.txt", lines(0)), write(tmp_path / "t.txt", lines(1).replace("\n", "\r\n"))
    assert sentences(source=source, target=target) == EXPECTED


def test_tab_separated_without_header(tmp_path: Path) -> None:
    rows = "".join(f"{source}\t{target}\tx\n" for source, target in PAIRS)
    assert sentences(file=write(tmp_path / "a.tsv", rows)) == EXPECTED
    assert sentences(file=write(tmp_path / "a.tsv.gz", gzip.compress(rows.encode()))) == EXPECTED
    swapped = sentences(file=str(tmp_path / "a.tsv"), source_field="1", target_field="0")
    assert swapped == [(target, source) for source, target in EXPECTED]


def test_tab_separated_with_header(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "id\tfr\ten\r\n1\tUn.\tOne.\r\n\r\n2\tDeux.\tTwo.\r\n")
    assert read(file=path) == [SentencePair("One.", "Un.", 2), SentencePair("Two.", "Deux.", 4)]
    assert read(file=path, source_field="2", target_field="1") == read(file=path)
    assert sentences(file=path, source_field="id") == [("1", "Un."), ("2", "Deux.")]


def test_json_lines(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"translation": {"en": source, "fr": target}}) + "\n\n" for source, target in PAIRS)
    assert sentences(file=write(tmp_path / "a.jsonl", rows)) == EXPECTED
    assert [pair.line for pair in read(file=str(tmp_path / "a.jsonl"))] == [1, 3, 5, 7]
    flat = "".join(json.dumps({"en": source, "fr": target, "n": 1}) + "\n" for source, target in PAIRS)
    assert sentences(file=write(tmp_path / "b.jsonl.gz", gzip.compress(flat.encode()))) == EXPECTED
    deep = write(tmp_path / "c.jsonl", '{"a.b": "one", "c": {"d": {"e": "un"}}}\n{"a.b": null, "c": {"d": {"e": "x"}}}')
    assert sentences(file=deep, source_field="a.b", target_field="c.d.e") == [("one", "un"), ("", "x")]


def test_parquet(tmp_path: Path) -> None:
    # The library takes file names for patterns: these characters must not make one.
    path = tmp_path / "a[1]*?.parquet"
    nested = [{"en": source, "fr": target} for source, target in PAIRS]
    pyarrow.parquet.write_table(pyarrow.table({"translation": nested}), path)
    assert read(file=str(path)) == [SentencePair(*pair, number) for number, pair in enumerate(PAIRS, 1)]
    flat = {"english": ["a", None], "fr": ["b", "c"]}
    pyarrow.parquet.write_table(pyarrow.table(flat), tmp_path / "b.parquet")
    assert sentences(file=str(tmp_path / "b.parquet"), source_field="english") == [("a", "b"), ("", "c")]
    with pytest.raises(CorpusError, match=r"row 1: there is no field en or translation.en, only english, fr; set"):
        read(file=str(tmp_path / "b.parquet"))


def test_hub_by_way_of_a_local_folder(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for split, pairs in (("train", PAIRS[:3]), ("test", PAIRS[:1])):
        rows = [{"translation": {"en": source, "fr": target}} for source, target in pairs]
        write(folder / f"{split}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert sentences(hub=str(folder)) == EXPECTED[:3]
    assert read(hub=str(folder), split="test") == [SentencePair("A dog.", "Un chien.", 1)]
    assert text_fingerprint(text(hub=str(folder))) != text_fingerprint(text(hub=str(folder), split="test"))
    with pytest.raises(CorpusError, match=r"cannot load .*corpus with datasets: .*nothing"):
        read(hub=str(folder), split="nothing")


def test_groups(tmp_path: Path) -> None:
    prefix = write_prefix(tmp_path)
    groups = write(tmp_path / "groups", "old\nold\n new \nold\n")
    assert [pair.group for pair in read(prefix=prefix, groups=groups)] == ["old", "old", "new", "old"]
    write(tmp_path / "groups", "old\nold\n")
    with pytest.raises(CorpusError, match=r"train has 4 pairs but .*groups has 2 labels"):
        read(prefix=prefix, groups=groups)
    write(tmp_path / "groups", "old\n" * 7)
    with pytest.raises(CorpusError, match=r"train has 4 pairs but .*groups has 7 labels"):
        read(prefix=prefix, groups=groups)
    with pytest.raises(CorpusError, match="the groups file nowhere does not exist"):
        read_pairs(text(prefix=prefix, groups="nowhere"))


@pytest.mark.parametrize(("english", "french"), [(3, 5), (5, 3), (0, 2)])
def test_unequal_line_counts(tmp_path: Path, english: int, french: int) -> None:
    write(tmp_path / "a.en", "x\n" * english)
    write(tmp_path / "a.fr", "y\n" * french)
    with pytest.raises(CorpusError) as caught:
        read(prefix=str(tmp_path / "a"))
    assert f"a.en has {english} lines but {tmp_path / 'a.fr'} has {french} lines" in str(caught.value)


def test_files_are_looked_for_before_reading(tmp_path: Path) -> None:
    write(tmp_path / "a.en", "x\n")
    with pytest.raises(CorpusError, match=r"a has no file .*a\.fr and no .*a\.fr\.gz$"):
        read_pairs(text(prefix=str(tmp_path / "a")))
    with pytest.raises(CorpusError, match=r"none\.tsv does not exist"):
        read_pairs(text(file=str(tmp_path / "none.tsv")))
    with pytest.raises(CorpusError, match="is a folder"):
        read_pairs(text(source=str(tmp_path), target=str(tmp_path)))
    with pytest.raises(CorpusError, match=r"a\.en is not known by its name; that must end in \.tsv"):
        read_pairs(text(file=str(tmp_path / "a.en")))


def test_an_empty_corpus(tmp_path: Path) -> None:
    write(tmp_path / "a.en", "")
    write(tmp_path / "a.fr", "")
    with pytest.raises(CorpusError, match=r"the corpus .*a is empty"):
        read(prefix=str(tmp_path / "a"))
    with pytest.raises(CorpusError, match="the corpus nice is empty"):
        read(file=write(tmp_path / "a.jsonl", "\n"), name="nice")


@pytest.mark.parametrize(
    ("name", "content", "fields", "message"),
    [
        ("a.tsv", "one\n", {}, r"a\.tsv, line 1: 1 column where column 1, counted from 0, was expected"),
        ("a.tsv", "a\tb\nc\n", {}, r"a\.tsv, line 2: 1 column where"),
        ("a.tsv", "en\tfr\n", {"source_field": "english"}, r"there is no column english, only en, fr$"),
        ("a.jsonl", '{"en": "a"}\n', {}, r"line 1: there is no field fr or translation\.fr, only en; set"),
        ("a.jsonl", '{"en": "a", "fr": "b"}\n{"en": "c"}\n', {}, r"line 2: there is no field fr, only en$"),
        ("a.jsonl", '{"en": "a", "fr": 3}\n', {}, r"line 1: field fr holds int, not text"),
        ("a.jsonl", '\n{"en": "a"\n', {}, r"line 2: not JSON: "),
        ("a.jsonl", '["a", "b"]\n', {}, r"line 1: a JSON object was expected, not list"),
        ("a.jsonl", '{"en": "\\ud83d", "fr": "b"}\n', {}, r"line 1: field en holds half of a surrogate pair"),
        ("a.parquet", "no such thing", {}, r"cannot read .*a\.parquet with datasets: "),
    ],
)
def test_records_that_cannot_be_read(
    tmp_path: Path, name: str, content: str, fields: dict[str, str], message: str
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(CorpusError, match=message) as caught:
        read(file=path, **fields)
    assert "\n" not in str(caught.value)


def test_the_fingerprint_is_of_content_and_fields(tmp_path: Path) -> None:
    first = write(tmp_path / "a.tsv", "x\ty\n")
    second = write(tmp_path / "b.tsv", "x\ty\n")
    assert text_fingerprint(text(file=first)) == text_fingerprint(text(file=second, name="other"))
    assert text_fingerprint(text(file=first)) != text_fingerprint(text(file=first, source_field="1"))
    before = text_fingerprint(text(file=second))
    write(tmp_path / "b.tsv", "x\tz\n")
    assert text_fingerprint(text(file=second)) != before


def test_titles() -> None:
    assert text(prefix="data/train").title == "data/train"
    assert text(prefix="data/train", name="news").title == "news"
    assert text(hub="wmt14", subset="fr-en").title == "wmt14/fr-en/train"


PROBE = """
import socket, sys
def refuse(*arguments, **options):
    raise AssertionError("the network was asked")
socket.socket.connect = refuse
from seq2seq.text.corpus import ParallelText, read_pairs
assert "datasets" not in sys.modules
for kind in ("file", "hub", "prefix"):
    for name in sys.argv[2:]:
        if name.startswith(kind + "="):
            given = ParallelText(source_language="en", target_language="fr", **{kind: name.partition("=")[2]})
            print(len(list(read_pairs(given))))
"""


def test_local_text_needs_no_network_and_leaves_nothing_behind(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()
    prefix = write_prefix(tmp_path)
    rows = '{"en": "a", "fr": "b"}\n' * 3
    json_lines, _ = write(tmp_path / "a.jsonl", rows), write(folder / "train.jsonl", rows)
    pyarrow.parquet.write_table(pyarrow.table({"en": ["a"] * 2, "fr": ["b"] * 2}), tmp_path / "a.parquet")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "XDG_", "COV"))}
    run = subprocess.run(
        [
            *(sys.executable, "-c", PROBE, "-", f"file={json_lines}", f"file={tmp_path / 'a.parquet'}"),
            *(f"hub={folder}", f"prefix={prefix}"),
        ],
        env={**kept, "HOME": str(home), "HF_HUB_OFFLINE": "1", "TMPDIR": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout.split(), run.stderr) == (0, ["3", "2", "3", "4"], "")
    assert [path for path in home.rglob("*") if path.is_file()] == []
    assert list(tmp_path.glob("seq2seq-datasets-*")) == []
