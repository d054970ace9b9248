from __future__ import annotations

from pathlib import Path

import pytest
import sacrebleu

from seq2seq.errors import CorpusError
from seq2seq.held_out import HeldOutText, Scoring, score_text
from seq2seq.model_evaluation import evaluate_test_sets, evaluate_text
from seq2seq.recipe import Recipe, recipe_from_text
from seq2seq.translator import Translator

SOURCES = ["Where is the station?", "", "the small dog", "two tickets, please"] * 5


@pytest.fixture
def recipe(tmp_path: Path, translator: Translator) -> Recipe:
    """Two test sets, the first with groups; the references are what the model says, but for some."""
    references = [translation.text for translation in translator.translate(SOURCES)]
    references[0] = "Où est la gare ?"
    for name, lines in {
        "one.en": SOURCES,
        "one.fr": references,
        "two.en": SOURCES[:3],
        "two.fr": references[:3],
        "labels": ["seen", "new"] * 10,
    }.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return recipe_from_text(
        f"""
corpus:
  source_language: en
  target_language: fr
  train: [{{prefix: train}}]
  validation: [{{prefix: valid}}]
  test:
  - {{name: first, prefix: {tmp_path}/one, groups: {tmp_path}/labels}}
  - {{name: second, prefix: {tmp_path}/two}}
evaluation: {{metrics: [chrf, bleu], tokenize: intl, lowercase: true}}
run: {{name: small}}
""",
        "recipe",
    )


def test_every_test_set_is_translated_and_scored_as_the_recipe_says(translator: Translator, recipe: Recipe) -> None:
    seen: list[int] = []
    first, second = evaluate_test_sets(translator, recipe, watch=seen.append)
    assert seen == [20, 3]
    translations = [translation.text for translation in translator.translate(SOURCES)]
    assert first.translations == tuple(translations)
    references = list(translations)
    references[0] = "Où est la gare ?"
    expected = sacrebleu.CHRF(lowercase=True).corpus_score(translations, [references]).score
    assert [score.metric for score in first.scores] == ["chrf", "bleu"]
    assert first.scores[0].value == pytest.approx(expected)
    bleu = sacrebleu.BLEU(lowercase=True, tokenize="intl")
    assert first.scores[1].value == pytest.approx(bleu.corpus_score(translations, [references]).score)
    assert first.scores[1].signature == str(bleu.get_signature())
    assert [(part.name, part.sentences) for part in first.groups] == [("seen", 10), ("new", 10)]
    assert first.groups[1].scores[0].value == pytest.approx(100.0)
    assert (second.name, len(second.translations), second.groups) == ("second", 3, ())


def test_the_report(translator: Translator, recipe: Recipe) -> None:
    first = evaluate_test_sets(translator, recipe)[0]
    lines = first.lines()
    assert lines[0].startswith("first: 20 sentences in ")
    assert lines[1] == f"  chrF2 = {first.scores[0].value:.2f} ({first.scores[0].signature})"
    assert lines[3].startswith("  seen (10 sentences): chrF2 = ")
    assert len(lines) == 5
    report = first.as_dict()
    assert report["sentences"] == 20
    assert report["scores"][1]["score"] == first.scores[1].value
    assert [group["name"] for group in report["groups"]] == ["seen", "new"]
    assert "in" not in score_text(HeldOutText("x", [], [["a"]]), ["a"], scoring=Scoring()).lines()[0]


def test_options_change_the_search_and_watching_can_stop_it(translator: Translator) -> None:
    text = HeldOutText("text", SOURCES, [SOURCES])
    found = evaluate_text(translator, text, scoring=Scoring(), options={"beam": 1, "batch_size": 1})
    assert found.translations == tuple(each.text for each in translator.translate(SOURCES, beam=1))

    def stop(number: int) -> None:
        assert number == 16
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_text(translator, text, scoring=Scoring(), options={"beam": 1, "batch_size": 1}, watch=stop)


def test_a_test_set_that_is_not_there(translator: Translator, recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "two.fr").unlink()
    with pytest.raises(CorpusError, match=r"two has no file .*two\.fr"):
        evaluate_test_sets(translator, recipe)
