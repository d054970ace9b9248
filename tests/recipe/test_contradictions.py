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
tokenizer.algorithm=word ; tokenizer.sampling={alpha: 0.1}
  says tokenizer.sampling: algorithm word has one segmentation only
  but not with tokenizer.algorithm=unigram
tokenizer.algorithm=word ; tokenizer.byte_fallback=true
  says tokenizer.byte_fallback: algorithm word has whole words only, and one unknown piece; set byte_fallback: false
  but not with tokenizer.algorithm=bpe
tokenizer.target_vocabulary_size=500
  says tokenizer.target_vocabulary_size: one vocabulary of vocabulary_size serves both languages; remove it, or set
  but not with tokenizer.joint=false
tokenizer={joint: false, source_model: a, target_model: b, target_vocabulary_size: 500}
  says tokenizer.target_vocabulary_size: has no effect beside source_model
  but not with tokenizer.source_model=null ; tokenizer.target_model=null
tokenizer={joint: false, byte_fallback: true, target_vocabulary_size: 260}
  says tokenizer.target_vocabulary_size: 260 leaves no room for text
  but not with tokenizer.target_vocabulary_size=261
model.encoder.connection=residual
  says model.encoder.connection: residual has no effect on one layer; use 2 layers or more, or plain
  but not with model.encoder.layers=2
model.encoder.connection=dense
  says model.encoder.connection: dense has no effect on one layer
  but not with model.encoder.layers=2
model.decoder.connection=highway
  says model.decoder.connection: highway has no effect on one layer
  but not with model.decoder.connection=plain
model.decoder.connection=residual ; model.decoder.layers=2 ; model.decoder.connection_from=3
  says model.decoder.connection_from: layer 3 does not exist among 2; use at most 2
  but not with model.decoder.layers=3
model.decoder.connection=dense ; model.decoder.layers=2 ; model.decoder.connection_from=2
  says model.decoder.connection_from: has no effect with connection dense, only with residual or highway; remove it
  but not with model.decoder.connection=highway
model.encoder.connection_from=2
  says model.encoder.connection_from: has no effect with connection plain
  but not with model.encoder.connection=residual ; model.encoder.layers=2
model.encoder={directions: bottom-bidirectional, layers: 3, connection: residual}
  says model.encoder.directions: 2 would join the outputs of both directions to those of one, which are half as wide;
  but not with model.encoder.connection_from=3
model.encoder={directions: bottom-bidirectional, layers: 2, connection: highway}
  says model.encoder.directions: half as wide; use connection plain, or 3 layers or more and connection_from 3
  but not with model.encoder.connection=dense
model.encoder.directions=alternating
  says model.encoder.directions: alternating needs 2 layers or more, but layers is 1; use more, or forward
  but not with model.encoder.directions=forward
model.encoder.directions=bottom-bidirectional
  says model.encoder.directions: bottom-bidirectional needs 2 layers or more, but layers is 1; use more, or
  but not with model.encoder.layers=2
model.encoder.reverse_source=true
  says model.encoder.reverse_source: changes nothing with directions bidirectional, whose layers read both ways; remove
  but not with model.encoder.directions=forward
model.encoder.reverse_source=true ; model.encoder.directions=bidirectional
  says model.encoder.reverse_source: or use forward
  but not with model.encoder.directions=bottom-bidirectional ; model.encoder.layers=2
model.decoder.cell=lstm-projected
  says model.decoder.cell: lstm-projected needs a projection_size; half of hidden_size is usual
  but not with model.decoder.projection_size=256
model.encoder.projection_size=64
  says model.encoder.projection_size: has no effect with cell lstm, only with lstm-projected; remove it
  but not with model.encoder.cell=lstm-projected
model.encoder.transitions=4 ; model.encoder.cell=gru
  says model.encoder.transitions: has no effect with cell gru, only with gru-deep-transition; remove it
  but not with model.encoder.cell=gru-deep-transition
model.decoder.layer_norm=true
  says model.decoder.layer_norm: has no effect with cell lstm, only with gru-deep-transition; remove it
  but not with model.decoder.cell=gru-deep-transition
model.decoder={cell: gru-deep-transition, transitions: 1} ; model.attention.context=conditional
  says model.decoder.transitions: 1 is too few for attention.context conditional
  but not with model.decoder.transitions=2
model.decoder={cell: gru-deep-transition, transitions: 1} ; model.attention.context=conditional
  says model.decoder.transitions: one transition before the attention and the others after it; use 2 or more
  but not with model.attention.context=output
model.encoder.recurrent_dropout=0.2
  says model.encoder.recurrent_dropout: choose variational, candidate, zoneout or dropconnect
  but not with model.encoder.recurrent_dropout_kind=zoneout
model.decoder.recurrent_dropout_kind=zoneout
  says model.decoder.recurrent_dropout_kind: zoneout has no effect with recurrent_dropout 0; set a probability, or use
  but not with model.decoder.recurrent_dropout=0.1
model.decoder={cell: sru, recurrent_dropout: 0.1, recurrent_dropout_kind: variational}
  says model.decoder.recurrent_dropout_kind: variational does not suit sru, whose state passes through no matrix; remove
  but not with model.decoder.cell=mut1
model.decoder={cell: mingru, recurrent_dropout: 0.1, recurrent_dropout_kind: zoneout}
  says model.decoder.recurrent_dropout_kind: remove it and recurrent_dropout, and use dropout
  but not with model.decoder={cell: mingru, dropout: 0.1}
model.encoder={cell: elman-relu, recurrent_dropout: 0.1, recurrent_dropout_kind: candidate}
  says model.encoder.recurrent_dropout_kind: candidate needs a gated cell, but cell is elman-relu; use variational,
  but not with model.encoder.recurrent_dropout_kind=zoneout
model.encoder.variational=true ; model.encoder.word_dropout=0.1
  says model.encoder.variational: true has no effect without dropout or embedding_dropout; set one, or use false
  but not with model.encoder.embedding_dropout=0.1
model.decoder.variational=true ; model.decoder.output_dropout=0.1
  says model.decoder.variational: true has no effect without dropout
  but not with model.decoder.dropout=0.1
model.encoder.output_size=64 ; model.attention={type: none, context: none}
  says model.encoder.output_size: attention.type none and bridge learned, since nothing reads the encoder's outputs
  but not with model.bridge=mean-pooled
model.encoder.embedding_in_output=true ; model.attention={type: none, context: none}
  says model.encoder.embedding_in_output: has no effect with attention.type none and bridge learned, since nothing reads
  but not with model.bridge=mean-pooled
model.encoder.output_size=64 ; model.attention={type: none, context: none}
  says model.encoder.output_size: has no effect
  but not with model.attention={type: additive}
model.initialization.forget_bias=1 ; model.encoder.cell=sru ; model.decoder.cell=gru
  says model.initialization.forget_bias: has no effect with the cells sru and gru, which have no forget gate; remove it
  but not with model.decoder.cell=minlstm
model.initialization.scale=0.1
  says model.initialization.scale: has no effect with name orthogonal, only with uniform or normal; remove it
  but not with model.initialization.name=uniform
model.decoder.readout=plain ; model.decoder.readout_size=64
  says model.decoder.readout_size: has no effect with readout plain, only with tanh, deep or maxout; remove it
  but not with model.decoder.readout=maxout
model.decoder.readout=plain ; model.decoder.context_gate=true
  says model.decoder.context_gate: has no effect with readout plain
  but not with model.decoder.readout=deep
model.decoder.context_gate=true ; model.attention={type: none, context: none}
  says model.decoder.context_gate: with attention.context none, whose readout reads no context; remove it, or use
  but not with model.decoder.context_gate=false
model.decoder={context_gate: true, layers: 2} ; model.attention.context=upper-layers
  says model.decoder.context_gate: or use output, input-feeding, previous-state or conditional
  but not with model.attention.context=conditional
model.generator=copy ; model.attention={type: none, context: none}
  says model.generator: copy chooses source pieces by attention, but attention.type is none; use an attention, or
  but not with model.attention={type: additive}
model.generator=copy ; model.attention.type=summary ; model.encoder.directions=forward
  says model.generator: but attention.type is summary
  but not with model.generator=softmax
model.generator=copy ; tokenizer.joint=false
  says model.generator: one vocabulary for both languages, but tokenizer.joint is false; set it true, or use softmax
  but not with tokenizer.joint=true
model.attention.type=none
  says model.attention.type: none contradicts attention.context output
  but not with model.attention.context=none
model.attention.context=none
  says model.attention.context: none contradicts attention.type general
  but not with model.attention.type=none
model.attention={type: hard, context: none}
  says model.attention.context: use output, or another, or set attention.type: none
  but not with model.attention.context=input-feeding
model.attention.type=summary
  says model.attention.type: with encoder.directions forward or bottom-bidirectional and reverse_source false
  but not with model.encoder.directions=forward
model.attention.type=summary ; model.encoder={directions: forward, reverse_source: true}
  says model.attention.type: and reverse_source false; set them, or use another attention
  but not with model.encoder.reverse_source=false
model.bridge=zero ; model.attention.type=none ; model.attention.context=none
  says model.bridge: hide the source
  but not with model.bridge=mean-pooled
model.attention.context=upper-layers
  says model.attention.context: but it is 1
  but not with model.decoder.layers=2
model.attention.type=dot ; model.encoder.directions=forward
  says model.attention.type: dot needs encoder outputs as wide as the decoder's layers, 512, but they are 256 wide
  but not with model.decoder.hidden_size=256
model.attention.type=scaled-dot ; model.encoder.hidden_size=128
  says model.attention.type: scaled-dot needs encoder outputs as wide as the decoder's layers, 512, but they are 256
  but not with model.encoder.output_size=512
model.attention.type=dot ; model.decoder={cell: lstm-projected, projection_size: 128}
  says model.attention.type: the decoder's layers, 128, but they are 512 wide; change one of them, or use general
  but not with model.decoder.projection_size=512
model.attention={type: local-p, score: dot} ; model.decoder.hidden_size=100
  says model.attention.score: dot needs encoder outputs as wide as the decoder's layers, 100, but they are 512 wide
  but not with model.attention.score=concat
model.attention={type: local-m, score: dot} ; model.encoder.output_size=7
  says model.attention.score: 512, but they are 7 wide; change one of them, or use general
  but not with model.attention.score=general
model.attention={type: multihead-additive, heads: 5}
  says model.attention.heads: 5 heads do not divide the attention's width 512; change heads or attention.size
  but not with model.attention.size=30
model.attention={type: location, location_width: 4}
  says model.attention.location_width: a filter of 4 positions has no centre; use an odd number
  but not with model.attention.location_width=5
model.attention={type: local-m, size: 9}
  says model.attention.size: has no effect with type local-m and score general, only with score concat; remove it
  but not with model.attention.score=concat
model.attention={type: local-m, size: 9}
  says model.attention.size: has no effect with type local-m
  but not with model.attention.type=local-p
model.attention.score=dot
  says model.attention.score: has no effect with type general, only with local-m or local-p; remove it
  but not with model.attention.type=local-p
model.attention.window=3 ; model.attention.type=location
  says model.attention.window: has no effect with type location, only with local-m or local-p
  but not with model.attention.type=local-m
model.attention.location_filters=3
  says model.attention.location_filters: only with location
  but not with model.attention.type=location
model.attention.location_width=3
  says model.attention.location_width: only with location
  but not with model.attention.type=location
model.attention.fertility=1
  says model.attention.fertility: only with coverage
  but not with model.attention.type=coverage
model.attention.reward_weight=1
  says model.attention.reward_weight: only with hard
  but not with model.attention.type=hard
model.attention.entropy_weight=0
  says model.attention.entropy_weight: only with hard
  but not with model.attention.type=hard
model.attention={type: hard, dropout: 0.1}
  says model.attention.dropout: has no effect with type hard, only with additive
  but not with model.attention.dropout=null
model.attention={type: summary, dropout: 0.1} ; model.encoder.directions=forward
  says model.attention.dropout: has no effect with type summary
  but not with model.attention.type=coverage
model.attention.type=multihead ; model.attention.heads=3
  says model.attention.heads: width 512
  but not with model.attention.size=33
model.attention.heads=4
  says model.attention.heads: with type general, only with multihead
  but not with model.attention.type=multihead
model.attention.size=8
  says model.attention.size: only with additive, normalized-additive, concat, multihead, multihead-additive, local-m,
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
model.tying=embeddings ; model.encoder.embedding_size=128
  says model.tying: embeddings needs equal widths, but encoder.embedding_size is 128
  but not with model.decoder.embedding_size=128
model.tying=decoder ; model.decoder.readout_size=128
  says model.decoder.readout_size: the readout is 128 wide, but with tying decoder the output layer is the embedding,
  but not with model.decoder.embedding_size=128
model.tying=decoder ; model.decoder.readout=plain
  says model.decoder.readout: the readout is 1024 wide, but with tying decoder
  but not with model.decoder.embedding_size=1024
model.tying=decoder ; model.decoder.readout=plain ; model.attention={type: multihead-additive, size: 128}
  says model.decoder.readout: the readout is 640 wide
  but not with model.decoder.embedding_size=640
model.tying=embeddings ; tokenizer.joint=false
  says model.tying: embeddings needs one vocabulary for both languages, but tokenizer.joint is false; set it true, or
  but not with tokenizer.joint=true
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
  but not with model.encoder.directions=forward
model.bridge=final-state ; model.encoder={layers: 2, directions: bottom-bidirectional} ; model.decoder.layers=2
  says model.bridge: (lstm, 2, 256 and 512)
  but not with model.encoder.directions=bidirectional
model.bridge=backward ; model.encoder.directions=forward
  says model.bridge: backward needs a top encoder layer that reads in both directions, but encoder.directions is forward
  but not with model.encoder.directions=bidirectional
model.bridge=backward ; model.encoder={directions: bottom-bidirectional, layers: 2}
  says model.bridge: use bidirectional, or learned
  but not with model.bridge=learned
training.optimizer.name=sgd ; training.optimizer.betas=[0.9,0.9]
  says training.optimizer.betas: name sgd
  but not with training.optimizer.name=adamw
training.optimizer.momentum=0.9
  says training.optimizer.momentum: name adam, only with sgd
  but not with training.optimizer.name=sgd
training.optimizer.name=sgd ; training.optimizer.epsilon=1e-6
  says training.optimizer.epsilon: only with adam, adamw, adagrad or adadelta
  but not with training.optimizer.name=adagrad
training.optimizer.rho=0.9
  says training.optimizer.rho: has no effect with name adam, only with adadelta
  but not with training.optimizer.name=adadelta
training.optimizer.name=adadelta ; training.optimizer.betas=[0.9,0.9]
  says training.optimizer.betas: has no effect with name adadelta
  but not with training.optimizer.betas=null
training.schedule.step_after=1
  says training.schedule.step_after: has no effect with name constant, only with step
  but not with training.schedule.name=step
training.schedule.step_every=1
  says training.schedule.step_every: has no effect with name constant, only with step
  but not with training.schedule.name=step
training.schedule={name: step, step_after: 7.5} ; training.epochs=7
  says training.schedule.step_after: the learning rate first falls after 7.5 epochs, but training ends after 7; make
  but not with training.epochs=8
training.schedule={name: step, step_after: 7} ; training.epochs=7
  says training.schedule.step_after: make step_after smaller, or train longer
  but not with training.schedule.step_after=6.9
training.schedule={name: step, minimum_learning_rate: 0.001}
  says training.schedule.minimum_learning_rate: not below optimizer.learning_rate 0.001, so step has nothing to do
  but not with training.schedule.minimum_learning_rate=0.0009
training.schedule.factor=0.5
  says training.schedule.factor: with name constant, only with plateau or step
  but not with training.schedule.name=plateau
training.schedule.patience=1
  says training.schedule.patience: only with plateau
  but not with training.schedule.name=plateau
training.schedule.minimum_learning_rate=0
  says training.schedule.minimum_learning_rate: only with plateau, cosine or step
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


def test_final_states_of_projected_layers_are_compared_with_their_memory(problems: Problems) -> None:
    """Widths of h that agree beside memory cells that do not."""
    cell = "cell: lstm-projected, projection_size: 4"
    ours = f"model.encoder={{directions: forward, hidden_size: 8, {cell}}}"
    (found,) = problems("", "model.bridge=final-state", ours, f"model.decoder={{hidden_size: 9, {cell}}}")
    assert found == (
        "override, model.bridge: final-state needs the decoder's cell, layers and width to be the encoder's "
        "(lstm-projected, 1, 4 of 8), but they are (lstm-projected, 1, 4 of 9); change them, or use learned"
    )
    assert problems("", "model.bridge=final-state", ours, f"model.decoder={{hidden_size: 8, {cell}}}") == []


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
        "line 10, training.schedule.factor: has no effect with name constant, only with plateau or step; remove it, "
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
