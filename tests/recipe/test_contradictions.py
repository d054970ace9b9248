"""Keys that are right one by one and wrong together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pydantic import ValidationError

from seq2seq.recipe import (
    Attention,
    Encoder,
    Model,
    Recipe,
    Schedule,
    TextSource,
    TokenizerSection,
    recipe_from_text,
)

Problems = Callable[..., list[str]]

# Overrides that contradict each other; the key that is blamed, and a part of what is said; overrides that mend it.
CASES = """\
tokenizer.target_model=b
  says tokenizer.target_model: call it source_model
  but not with tokenizer.target_model=null
tokenizer.source_model=a ; tokenizer.target_model=b
  says tokenizer.target_model: remove it
  but not with tokenizer.joint=false
tokenizer.joint=false ; tokenizer.source_model=a
  says tokenizer.source_model: give both source_model and target_model
  but not with tokenizer.target_model=b
tokenizer.algorithm=char ; tokenizer.sampling={alpha: 0.1}
  says tokenizer.sampling: one
  but not with tokenizer.algorithm=bpe
tokenizer.algorithm=bpe ; tokenizer.sampling.nbest_size=9
  says tokenizer.sampling.nbest_size: has no effect with algorithm bpe
  but not with tokenizer.algorithm=unigram
tokenizer.algorithm=bpe ; tokenizer.sampling.alpha=1
  says tokenizer.sampling.alpha: every merge
  but not with tokenizer.sampling.alpha=.1
tokenizer.sampling.nbest_size=1
  says tokenizer.sampling.nbest_size: nothing to draw
  but not with tokenizer.sampling.nbest_size=2
tokenizer.sampling.nbest_size=0
  says tokenizer.sampling.nbest_size: nothing to draw
  but not with tokenizer.sampling.nbest_size=-1
tokenizer.byte_fallback=true ; tokenizer.vocabulary_size=260
  says tokenizer.vocabulary_size: byte_fallback takes 260 pieces
  but not with tokenizer.vocabulary_size=261
tokenizer.algorithm=unigram ; tokenizer.source_model=a
  says tokenizer.algorithm: beside source_model
  but not with tokenizer.algorithm=null
tokenizer.vocabulary_size=8000 ; tokenizer.source_model=a
  says tokenizer.vocabulary_size: beside source_model
  but not with tokenizer.source_model=null
tokenizer.byte_fallback=false ; tokenizer.source_model=a
  says tokenizer.byte_fallback: beside source_model
  but not with tokenizer.source_model=null
tokenizer.character_coverage=1 ; tokenizer.source_model=a
  says tokenizer.character_coverage: beside source_model
  but not with tokenizer.source_model=null
tokenizer.normalization=nfkc ; tokenizer.source_model=a
  says tokenizer.normalization: beside source_model
  but not with tokenizer.source_model=null
tokenizer.training_sentences=100 ; tokenizer.source_model=a
  says tokenizer.training_sentences: beside source_model
  but not with tokenizer.source_model=null
model.encoder.residual=true
  says model.encoder.residual: no effect on one layer
  but not with model.encoder.layers=2
model.decoder.residual=true
  says model.decoder.residual: no effect on one layer
  but not with model.decoder.residual=false
model.attention.type=none
  says model.attention.type: none contradicts attention.context output
  but not with model.attention.context=none
model.attention.context=none
  says model.attention.context: none contradicts attention.type general
  but not with model.attention.type=none
model.bridge=zero ; model.attention.type=none ; model.attention.context=none
  says model.bridge: hide the source
  but not with model.bridge=mean-pooled
model.attention.context=upper-layers
  says model.attention.context: but it is 1
  but not with model.decoder.layers=2
model.attention.type=dot ; model.encoder.bidirectional=false
  says model.attention.type: decoder.hidden_size 512, but they are 256 wide
  but not with model.decoder.hidden_size=256
model.attention.type=multihead ; model.attention.heads=3
  says model.attention.heads: width 512
  but not with model.attention.size=33
model.attention.heads=4
  says model.attention.heads: with type general, only with multihead
  but not with model.attention.type=multihead
model.attention.size=8
  says model.attention.size: only with additive or multihead
  but not with model.attention.type=additive
model.attention.size=8 ; model.attention.type=dot
  says model.attention.size: with type dot
  but not with model.attention.size=null
model.attention={type: none, context: none, dropout: 0.1}
  says model.attention.dropout: has no effect with type none
  but not with model.attention.dropout=null
model.tying=all ; model.encoder.embedding_size=128
  says model.tying: encoder.embedding_size is 128 and decoder.embedding_size is 256
  but not with model.tying=decoder
model.tying=all ; tokenizer.joint=false
  says model.tying: tokenizer.joint is false
  but not with tokenizer.joint=true
model.bridge=final-state ; model.decoder.cell=gru
  says model.bridge: (lstm, 1, 512)
  but not with model.encoder.cell=gru
model.bridge=final-state ; model.decoder.layers=2
  says model.bridge: (lstm, 2, 512)
  but not with model.encoder.layers=2
model.bridge=final-state ; model.decoder.hidden_size=256
  says model.bridge: (lstm, 1, 256)
  but not with model.encoder.bidirectional=false
training.optimizer.name=sgd ; training.optimizer.betas=[0.9,0.9]
  says training.optimizer.betas: name sgd
  but not with training.optimizer.name=adamw
training.optimizer.momentum=0.9
  says training.optimizer.momentum: name adam, only with sgd
  but not with training.optimizer.name=sgd
training.optimizer.name=sgd ; training.optimizer.epsilon=1e-6
  says training.optimizer.epsilon: only with adam, adamw or adagrad
  but not with training.optimizer.name=adagrad
training.schedule.factor=0.5
  says training.schedule.factor: with name constant, only with plateau
  but not with training.schedule.name=plateau
training.schedule.patience=1
  says training.schedule.patience: only with plateau
  but not with training.schedule.name=plateau
training.schedule.minimum_learning_rate=0
  says training.schedule.minimum_learning_rate: only with plateau or cosine
  but not with training.schedule.name=plateau
training.schedule.name=plateau ; training.schedule.minimum_learning_rate=0.001
  says training.schedule.minimum_learning_rate: not below optimizer.learning_rate 0.001
  but not with training.optimizer.learning_rate=0.002
training.schedule.name=plateau ; training.schedule.patience=3 ; training.validation.patience=3
  says training.validation.patience: before plateau, with patience 3
  but not with training.validation.patience=4
training.schedule.name=cosine ; training.max_updates=9 ; training.schedule.warmup_updates=9
  says training.schedule.warmup_updates: leaves nothing to cosine
  but not with training.max_updates=10
training.max_updates=9 ; training.schedule.warmup_updates=10
  says training.schedule.warmup_updates: longer than the training, max_updates 9
  but not with training.max_updates=10
training.clipping.by=none ; training.clipping.threshold=1
  says training.clipping.threshold: with by none
  but not with training.clipping.by=value
evaluation.metrics=[bleu,chrf,bleu]
  says evaluation.metrics: bleu is there more than once
  but not with evaluation.metrics=[bleu]
corpus.train.0.file=a.tsv
  says corpus.train.0.file: but has prefix and file
  but not with corpus.train.0.prefix=null
corpus.train.0.prefix=null
  says corpus.train.0: but has none
  but not with corpus.train.0.hub=a/b
corpus.train.0={source: a}
  says corpus.train.0.source: go together; add target
  but not with corpus.train.0.target=b
corpus.train.0={target: a}
  says corpus.train.0.target: go together; add source
  but not with corpus.train.0.source=b
corpus.train.0={source: a, target: a}
  says corpus.train.0.target: the same file a
  but not with corpus.train.0.target=b
corpus.train.0={file: a.tsv, source_field: x, target_field: x}
  says corpus.train.0.target_field: the same field x
  but not with corpus.train.0.target_field=y
corpus.train.0.split=train
  says corpus.train.0.split: has no effect without hub
  but not with corpus.train.0={hub: a, split: train}
corpus.train.0.subset=x
  says corpus.train.0.subset: has no effect without hub
  but not with corpus.train.0={hub: a, subset: x}
corpus.train.0.source_field=x
  says corpus.train.0.source_field: without file or hub
  but not with corpus.train.0={hub: a, source_field: x}
corpus.train.0.target_field=x
  says corpus.train.0.target_field: without file or hub
  but not with corpus.train.0={file: a, target_field: x}
corpus.train.0.groups=x
  says corpus.train.0.groups: only in corpus.test
  but not with corpus.train.0.groups=null
corpus.validation.0.groups=x
  says corpus.validation.0.groups: only in corpus.test
  but not with corpus.test.0={prefix: a, groups: x} ; corpus.validation.0.groups=null
corpus.validation.0={hub: a}
  says corpus.validation.0.hub: give split too
  but not with corpus.validation.0.split=train
corpus.test.0={hub: a}
  says corpus.test.0.hub: split: test
  but not with corpus.test.0.split=test
corpus.test=[{prefix: a, name: x},{prefix: b, name: x}]
  says corpus.test.1.name: another test corpus is named x too
  but not with corpus.test.1.name=y
"""


def cases() -> Iterator[tuple[list[str], str, str, list[str]]]:
    """The cases, three lines each."""
    lines = CASES.splitlines()
    for together, says, mended in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        path, _, part = says.removeprefix("  says ").partition(": ")
        yield together.split(" ; "), path, part, mended.removeprefix("  but not with ").split(" ; ")


@pytest.mark.parametrize(("together", "path", "part", "mended"), list(cases()), ids=CASES.splitlines()[::3])
def test_contradictions(problems: Problems, together: list[str], path: str, part: str, mended: list[str]) -> None:
    (found,) = problems("", *together)
    place, _, message = found.partition(": ")
    assert place in (f"override, {path}", f"line 5, {path}")
    assert part in message
    assert problems("", *together, *mended) == []


def test_one_language_on_both_sides_needs_two_texts(problems: Problems, minimal: str) -> None:
    text = minimal.replace("fr", "en")
    found = problems(text, whole=True)
    assert [line.partition(": ")[0] for line in found] == ["line 5, corpus.train.0", "line 7, corpus.validation.0"]
    assert "both en, so both sides would be the same text; give source and target" in found[0]
    told_apart = [
        "corpus.train.0={source: a.old, target: a.new}",
        "corpus.train.1={file: a.tsv.gz}",
        "corpus.validation.0={file: a.jsonl, source_field: old, target_field: new}",
    ]
    assert problems(text, *told_apart, whole=True) == []
    (found_one,) = problems(text, *told_apart, "corpus.test.0={file: a.jsonl, source_field: old}", whole=True)
    assert found_one.startswith("override, corpus.test.0: ")
    assert "give source_field and target_field" in found_one


def test_a_wrong_value_does_not_hide_the_contradictions_between_others(problems: Problems, minimal: str) -> None:
    text = minimal.replace("- prefix: data/train", "- 3\n    - {prefix: a, file: b}") + (
        "model:\n"
        "  encoder: {layers: '3', embedding_size: 7}\n"
        "  attention: {type: none, heads: 2}\n"
        "  bridge: final-stat\n"
        "  tying: all\n"
        "tokenizer: {joint: false, algorithm: bped}\n"
        "training:\n"
        "  optimizer: {name: sgdd, momentum: 0.5}\n"
        "  schedule: {name: plateau, patience: 5, minimum_learning_rate: 2}\n"
        "  validation: {patience: 5}\n"
    )
    found = [line.partition(": ")[0] for line in problems(text, whole=True)]
    assert found == [
        "line 5, corpus.train.0",  # no mapping
        "line 6, corpus.train.1.file",  # prefix and file
        "line 12, model.encoder.layers",  # text
        "line 13, model.attention.type",  # contradicts the context
        "line 13, model.attention.heads",  # no effect with none
        "line 14, model.bridge",  # no such name
        "line 15, model.tying",  # widths
        "line 15, model.tying",  # joint
        "line 16, tokenizer.algorithm",  # no such name
        "line 18, training.optimizer.name",  # no such name; so nothing can be said about momentum
        "line 19, training.schedule.minimum_learning_rate",
        "line 20, training.validation.patience",
    ]


def test_rules_over_a_list_wait_until_all_its_items_are_sections(problems: Problems) -> None:
    twice = "{prefix: a, name: x}, {prefix: b, name: x}"
    assert len(problems("", f"corpus.test=[{twice}]")) == 1
    (found,) = problems("", f"corpus.test=[3, {twice}]")
    assert found.startswith("override, corpus.test.0: needs a mapping of keys")


def test_a_contradiction_within_a_merged_mapping_is_where_it_is_written(problems: Problems) -> None:
    found = problems(
        "training:\n  schedule: &base\n    name: plateau\n    factor: 0.3\n  schedule: {<<: *base, name: constant}\n"
    )
    assert found == ["line 14, training.schedule: given twice, first in line 11; remove one"]


def test_an_override_that_puts_a_key_out_of_effect_says_how_to_take_it_away(problems: Problems) -> None:
    text = "training: {schedule: {name: plateau, factor: 0.3}}\n"
    (found,) = problems(text, "training.schedule.name=constant")
    assert found == (
        "line 10, training.schedule.factor: has no effect with name constant, only with plateau; remove it, "
        "or add the override training.schedule.factor=null"
    )
    assert problems(text, "training.schedule.name=constant", "training.schedule.factor=null") == []
    assert problems(text, "training.schedule={name: constant}") == []


def test_the_rules_also_hold_for_sections_made_in_python() -> None:
    with pytest.raises(ValidationError, match=r"attention\.type: dot needs encoder outputs as wide"):
        Model(encoder=Encoder(hidden_size=3), attention=Attention(type="dot"))
    with pytest.raises(ValidationError, match="factor: has no effect with name constant"):
        Schedule(factor=0.25)
    with pytest.raises(ValidationError, match="exactly one of prefix"):
        TextSource(prefix="a", hub="b")
    with pytest.raises(ValidationError, match="call it source_model"):
        TokenizerSection(target_model="b")
    with pytest.raises(ValidationError, match="integer"):
        Encoder(layers=2.0)  # type: ignore[arg-type]


def test_a_recipe_survives_pydantic_s_own_round_trip(minimal: str) -> None:
    recipe = recipe_from_text(minimal, "r.yaml")
    assert Recipe.model_validate(recipe.model_dump()) == recipe
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
