"""Training that starts from a trained model: its tokenizers, its weights as far as they fit, and what stays frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from seq2seq.build import build_model, build_tokenizers
from seq2seq.errors import ModelError, TrainingError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_directory import load_description, load_weights, read_weights
from seq2seq.model_files import WEIGHTS
from seq2seq.recipe import Difference, Recipe, differences, starting_directory
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.checkpoint import CHECKPOINT
from seq2seq.training.freezing import freeze, names_of_parameters

#: Parameters with a row for every piece of the source or of the target.
_SOURCE_ROWS = frozenset({"encoder.embedding.weight"})
_TARGET_ROWS = frozenset({"decoder.embedding.weight", "output.weight", "output.bias"})

Tokenizers = tuple[Tokenizer, Tokenizer]
#: Ids (new, old), LongTensors [carried], of pieces that have moved.
_Rows = tuple[Tensor, Tensor]


def first_tokenizers(recipe: Recipe) -> Tokenizers:
    """The tokenizers that a run begins with: the recipe's, or those of the model that fine-tuning starts from.

    Raises:
        Seq2SeqError: there are none to be had, or fine-tuning could not start with them; the run has not begun yet.
    """
    tuning = recipe.training.fine_tuning
    if tuning is None:
        return build_tokenizers(recipe)
    keep = tuning.vocabulary == "keep"
    tokenizers = load_description(starting_directory(recipe))[1:] if keep else build_tokenizers(recipe)
    with torch.device("meta"):  # of the network, names and shapes are enough here
        network = build_model(
            recipe.model,
            source_vocabulary=tokenizers[0].vocabulary_size,
            target_vocabulary=tokenizers[1].vocabulary_size,
        )
    _check_fit(_fit(network, recipe, tokenizers), recipe)
    freeze(network, tuning.freeze, say=lambda _: None)
    return tokenizers


def begin(
    model: EncoderDecoder, recipe: Recipe, tokenizers: Tokenizers, *, resumed: bool, say: Callable[[str], None]
) -> list[nn.Parameter]:
    """Put the old model's weights into `model`, which has fresh ones, and freeze what is to stay.

    Without fine-tuning nothing is done. A run that is `resumed` has its weights from its checkpoint, and the old model
    is not looked for. Tells `say` what was taken, and what is frozen.

    Returns:
        The parameters that are trained.

    Raises:
        ModelError: the old model cannot be read.
        TrainingError: its weights do not fit, and `training.fine_tuning.partial` is not set.
        RecipeError: a pattern of what is frozen matches nothing, or all is frozen.
    """
    tuning = recipe.training.fine_tuning
    if tuning is not None:
        if not resumed:
            _start(model, recipe, tokenizers, say=say)
        freeze(model, tuning.freeze, say=say)
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _start(model: EncoderDecoder, recipe: Recipe, tokenizers: Tokenizers, *, say: Callable[[str], None]) -> None:
    fit = _fit(model, recipe, tokenizers)
    _check_fit(fit, recipe)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, taken in fit.taken.items():
            taken.copy_to(parameters[name])
    for line in fit.report(len(parameters)):
        say(line)


@dataclass(frozen=True)
class _OldModel:
    """The model to start from: its recipe and tokenizers, its weights under all their names, and where they lie."""

    recipe: Recipe
    tokenizers: Tokenizers
    weights: Mapping[str, Tensor]
    path: Path


@dataclass(frozen=True)
class _Taken:
    """An old tensor for a parameter; `rows` (new, old), LongTensors [carried], where its pieces have moved."""

    tensor: Tensor
    rows: _Rows | None

    def copy_to(self, parameter: Tensor) -> None:
        """Write it into the parameter, of which rows without an old one stay as they are."""
        if self.rows is None:
            parameter.copy_(self.tensor)
        else:
            new, old = (rows.to(parameter.device) for rows in self.rows)
            parameter.index_copy_(0, new, self.tensor.to(parameter).index_select(0, old))


@dataclass(frozen=True)
class _Fit:
    """What of an old model fits a network: by the name of the parameter what is taken, and why something is not."""

    old: _OldModel
    taken: dict[str, _Taken]
    misfits: dict[str, str]
    unused: tuple[str, ...]
    differing: tuple[Difference, ...]
    carried: tuple[str, ...]

    def report(self, parameters: int) -> list[str]:
        """Lines for people."""
        how_many = f"{len(self.taken)} of {parameters}" if self.misfits else f"all {parameters}"
        lines = [f"starting from {self.old.path}: {how_many} parameters", *self.carried]
        if self.misfits:
            lines.append(f"drawn anew, since nothing fits: {', '.join(self.misfits)}")
        if self.unused:
            lines.append(f"left behind in the old model: {', '.join(self.unused)}")
        lines += [f"note: other than in the old model, {difference}" for difference in self.differing]
        return lines


def _fit(model: nn.Module, recipe: Recipe, tokenizers: Tokenizers) -> _Fit:
    """Hold every parameter of `model` against the old model's weights; changes neither."""
    old = _read(recipe)
    carries = [_carried(*pair) for pair in zip(old.tokenizers, tokenizers, strict=True)]
    taken: dict[str, _Taken] = {}
    misfits: dict[str, str] = {}
    parameters = dict(model.named_parameters())
    for name, aliases in names_of_parameters(model).items():
        found = {old.weights[alias].data_ptr(): old.weights[alias] for alias in aliases if alias in old.weights}
        shape = parameters[name].shape
        if any(alias not in old.weights for alias in aliases):
            misfits[name] = f"{name} ({_shape(shape)}), which this recipe's network has, is not there"
            continue
        if len(found) > 1:
            misfits[name] = (
                f"{' and '.join(aliases)} are one tied parameter in this recipe's network, but several there"
            )
            continue
        (tensor,) = found.values()
        rows = None
        if _TARGET_ROWS.intersection(aliases):
            rows = carries[1]
        elif _SOURCE_ROWS.intersection(aliases):
            rows = carries[0]
        if (tensor.shape if rows is None else (shape[0], *tensor.shape[1:])) != shape:
            misfits[name] = f"{name} is {_shape(tensor.shape)} there, but {_shape(shape)} in this recipe's network"
            continue
        taken[name] = _Taken(tensor, rows)
    used = {each.tensor.data_ptr() for each in taken.values()}
    unused: dict[int, str] = {}
    for name, tensor in old.weights.items():
        if tensor.data_ptr() not in used and name not in misfits:
            unused.setdefault(tensor.data_ptr(), name)
    differing = [each for each in differences(old.recipe, recipe) if each.path.startswith("model.")]
    return _Fit(
        old,
        taken,
        misfits,
        tuple(unused.values()),
        tuple(filter(_matters, differing)),
        _carried_lines(taken, old.tokenizers, tokenizers, carries),
    )


def _check_fit(fit: _Fit, recipe: Recipe) -> None:
    """Raise TrainingError where something does not fit that must, or nothing does."""
    assert recipe.training.fine_tuning is not None
    partial = recipe.training.fine_tuning.partial
    if partial and not fit.taken:
        raise TrainingError(f"{fit.old.path}: nothing of this model fits the recipe's network; train without it")
    unused = {name: f"{name}, which is there, is not in this recipe's network" for name in fit.unused}
    wrong = fit.misfits or unused
    if partial or not wrong:
        return
    name, what = next(iter(wrong.items()))
    more = f" ({len(wrong) - 1} more do not fit)" if len(wrong) > 1 else ""
    causes = [f"{each.path}, {each.old} there and {each.new} here" for each in _likely(name, fit.differing)]
    cause = f"; look at {' and at '.join(causes)}" if causes else ""
    raise TrainingError(
        f"{fit.old.path} does not fit: {what}{more}{cause}; make them equal, or set training.fine_tuning.partial: true "
        "to start from what fits"
    )


def _read(recipe: Recipe) -> _OldModel:
    """The model that `recipe` names, whose weights are those of its directory or of one file."""
    assert recipe.training.fine_tuning is not None
    directory = starting_directory(recipe)
    old, source, target = load_description(directory)
    path = Path(recipe.training.fine_tuning.model)
    if path.is_dir():
        path = path / (CHECKPOINT if (path / CHECKPOINT).is_file() else WEIGHTS)
    if not path.is_file():
        raise ModelError(f"training.fine_tuning.model: {path} does not exist; that model is not trained yet")
    stored, metadata = read_weights(path)
    if "progress" in metadata:  # a checkpoint: of its weights those that would be used to translate
        kind = "mean." if any(name.startswith("mean.") for name in stored) else "model."
        stored = {name.removeprefix(kind): tensor for name, tensor in stored.items() if name.startswith(kind)}
    with torch.random.fork_rng(devices=[]):
        network = build_model(
            old.model, source_vocabulary=source.vocabulary_size, target_vocabulary=target.vocabulary_size
        )
    load_weights(network, stored, origin=path)
    shown = directory if path.name == WEIGHTS else path
    return _OldModel(old, (source, target), network.state_dict(), shown)


def _carried(old: Tokenizer, new: Tokenizer) -> _Rows | None:
    """Ids (new, old), each [carried], of the pieces that two tokenizers share; None where they are the same.

    Special pieces go by what they are for, all others by how they are written.
    """
    if old.fingerprint == new.fingerprint:
        return None
    before = {piece: number for number, piece in enumerate(old.pieces(range(old.vocabulary_size)))}
    special = dict(zip(_special(new), _special(old), strict=True))
    pairs = []
    for number, piece in enumerate(new.pieces(range(new.vocabulary_size))):
        if number in special:
            pairs.append((number, special[number]))
        elif piece in before and before[piece] not in special.values():
            pairs.append((number, before[piece]))
    ids = torch.tensor(pairs, dtype=torch.long).view(-1, 2)
    return ids[:, 0].contiguous(), ids[:, 1].contiguous()


def _carried_lines(
    taken: Mapping[str, _Taken], before: Tokenizers, after: Tokenizers, carries: Sequence[_Rows | None]
) -> tuple[str, ...]:
    """How many pieces of each vocabulary keep their rows, where any do; of a joint one once."""
    joint = before[0] is before[1] and after[0] is after[1]
    lines = []
    for side, tokenizer, rows in zip(("source", "target"), after, carries, strict=True):
        if rows is not None and any(each.rows is rows for each in taken.values()):
            count, size = len(rows[0]), tokenizer.vocabulary_size
            lines.append(
                f"vocabulary: {count:,} of {size:,} {'joint' if joint else side} pieces are the old model's and keep "
                f"their rows, {size - count:,} are drawn anew"
            )
    return tuple(dict.fromkeys(lines))


def _special(tokenizer: Tokenizer) -> tuple[int, ...]:
    """Ids of special pieces; a tokenizer without padding pads with its end of sentence, which comes last and wins."""
    return tokenizer.pad_id, tokenizer.unk_id, tokenizer.bos_id, tokenizer.eos_id


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


#: Parts of a network, and the sections of a recipe that decide on their shapes, the likeliest first.
_DECIDED_BY = {
    "encoder": ("model.encoder.",),
    "bridge": ("model.bridge", "model.encoder.", "model.decoder."),
    "decoder.attention": ("model.attention.", "model.encoder.", "model.decoder."),
    "decoder.readout": ("model.decoder.readout", "model.decoder.", "model.attention.", "model.encoder."),
    "decoder": ("model.decoder.", "model.attention.", "model.encoder."),
    "output": ("model.decoder.", "model.tying", "model.attention.", "model.encoder."),
    "copying": ("model.generator", "model.decoder.", "model.encoder."),
}


def _likely(name: str, differing: tuple[Difference, ...]) -> list[Difference]:
    """The keys of the recipe, one or two, that probably made the shape of a parameter another."""
    part = next((part for part in _DECIDED_BY if name.startswith(part)), "")
    sections = _DECIDED_BY.get(part, ())

    def rank(difference: Difference) -> tuple[int, bool]:
        place = next((place for place, each in enumerate(sections) if difference.path.startswith(each)), len(sections))
        # What has embedding in its name is shaped by what has.
        return place, ("embedding" in name) != ("embedding" in difference.path)

    ranked = sorted(differing, key=rank)
    return [each for each in ranked if rank(each) == rank(ranked[0])][:2]


def _matters(difference: Difference) -> bool:
    """Whether a difference between networks is one of what trained weights mean, rather than of training alone."""
    return "dropout" not in difference.path and not difference.path.startswith(
        ("model.initialization", "model.encoder.variational", "model.decoder.variational")
    )
