"""The model directory: everything that translation needs, in files that load for ever; or a bundle of them.

::

    recipe.yaml   weights.safetensors   source.spm   target.spm   format.json

and, where `seq2seq-shortlist` made one, `shortlist.safetensors`. A joint tokenizer is stored once, as `source.spm`.
`format.json` holds the format's version and the fingerprints of the tokenizers; the weights carry the same
fingerprints, so that files of two models cannot be mixed unnoticed.

Any number of processes may read a directory while a training writes into it or puts it aside: every file is replaced as
a whole, and :func:`load_model` reads all of them again where one was replaced while it read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from seq2seq.build import build_model
from seq2seq.errors import ModelError, Seq2SeqError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model_files import (
    FORMAT,
    RECIPE,
    SOURCE_TOKENIZER,
    TARGET_TOKENIZER,
    WEIGHTS,
    ModelFiles,
    open_model,
)
from seq2seq.recipe import Recipe, dump_recipe, stored_recipe_from_bytes
from seq2seq.shortlist import SHORTLIST, Shortlist
from seq2seq.storage import write_atomically
from seq2seq.text.tokenizer import Tokenizer

FORMAT_VERSION = 3

#: How often a directory is read that is written into meanwhile.
_READINGS = 50


@dataclass(frozen=True)
class StoredModel:
    """A loaded model directory; the network is in evaluation mode on its device."""

    recipe: Recipe
    model: EncoderDecoder
    source_tokenizer: Tokenizer
    target_tokenizer: Tokenizer
    #: What was recorded with the weights, such as the update they are from.
    metadata: dict[str, str]


def save_description(
    directory: Path, *, recipe: Recipe, source_tokenizer: Tokenizer, target_tokenizer: Tokenizer
) -> None:
    """Write everything but the weights: recipe, tokenizers and format. `directory` is made if need be."""
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(directory / SOURCE_TOKENIZER, source_tokenizer.to_bytes())
    if target_tokenizer.fingerprint != source_tokenizer.fingerprint:
        write_atomically(directory / TARGET_TOKENIZER, target_tokenizer.to_bytes())
    write_atomically(directory / RECIPE, dump_recipe(recipe).encode())
    description = {"version": FORMAT_VERSION, **_fingerprints(source_tokenizer, target_tokenizer)}
    write_atomically(directory / FORMAT, (json.dumps(description, indent=2) + "\n").encode())


def save_weights(
    directory: Path,
    weights: Mapping[str, Tensor],
    *,
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    metadata: Mapping[str, str],
    name: str = WEIGHTS,
) -> None:
    """Write or replace the weights atomically as file `name` of `directory`; tied weights are stored once."""
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in _distinct(weights).items()}
    everything = {**metadata, **_fingerprints(source_tokenizer, target_tokenizer), "version": str(FORMAT_VERSION)}
    write_atomically(directory / name, lambda path: save_file(stored, path, metadata=everything))


def load_description(place: Path) -> tuple[Recipe, Tokenizer, Tokenizer]:
    """Recipe, source and target tokenizer of a model directory or a bundle.

    Raises:
        ModelError: it is missing, incomplete, of a newer format, or its tokenizers are not the model's.
    """
    with open_model(place) as files:
        return _read_description(files)


def _read_description(files: ModelFiles) -> tuple[Recipe, Tokenizer, Tokenizer]:
    place = files.place
    description = _read_format(files)
    version = description.get("version")
    if type(version) is not int or version < 1:
        raise ModelError(f"{place / FORMAT}: the file is damaged, its version is {version!r}; copy the model again")
    if version > FORMAT_VERSION:
        raise ModelError(
            f"{place / FORMAT}: the model has format version {version}, but this release reads versions up to "
            f"{FORMAT_VERSION}; install a newer release of seq2seq"
        )
    recipe = stored_recipe_from_bytes(files.read(RECIPE), str(place / RECIPE))
    source = target = _read_tokenizer(files, SOURCE_TOKENIZER)
    if description.get("source_tokenizer") != description.get("target_tokenizer"):
        target = _read_tokenizer(files, TARGET_TOKENIZER)
    for name, tokenizer in (("source", source), ("target", target)):
        expected = description.get(f"{name}_tokenizer")
        if tokenizer.fingerprint != expected:
            raise ModelError(
                f"{place}: the {name} tokenizer is not the one that the model was trained with "
                f"(fingerprint {tokenizer.fingerprint[:12]}, expected {str(expected)[:12]}); "
                f"put back the original {name}.spm"
            )
    return recipe, source, target


def _read_tokenizer(files: ModelFiles, name: str) -> Tokenizer:
    return Tokenizer(model=files.read(name), name=f"the tokenizer {files.place / name}")


def load_model(place: str | Path, *, device: torch.device) -> StoredModel:
    """Load a model directory, all files as they were at one moment, or a bundle, for translation.

    Raises:
        ModelError: it is missing, incomplete, damaged, of a newer format, or not yet trained.
    """
    place = Path(place)
    for _ in range(_READINGS):
        before = _versions(place)
        try:
            stored = _load_files(place, device=device)
        except (Seq2SeqError, OSError):
            if _versions(place) == before:
                raise
        else:
            # Weights that are replaced once they are read are no reason to read again.
            if _versions(place).description == before.description:
                return stored
    raise ModelError(f"{place}: is written into again and again; load it when that has ended")


#: What tells a file from the one that replaces it: device, inode, time and size.
_Version = tuple[int, int, int, int]


class _Versions(NamedTuple):
    """Which files are in a directory, None where there is none; a bundle has none, and is opened once."""

    description: tuple[_Version | None, ...]
    weights: _Version | None


def _versions(directory: Path) -> _Versions:
    names = (RECIPE, SOURCE_TOKENIZER, TARGET_TOKENIZER, FORMAT)
    return _Versions(tuple(_version(directory / name) for name in names), _version(directory / WEIGHTS))


def _version(path: Path) -> _Version | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _load_files(place: Path, *, device: torch.device) -> StoredModel:
    with open_model(place) as files:
        recipe, source, target = _read_description(files)
        path = files.place / WEIGHTS
        if not files.has(WEIGHTS):
            raise ModelError(
                f"{files.place}: there are no weights yet; the first validation of its training writes {WEIGHTS}"
            )
        weights, metadata = read_weights(path) if path.is_file() else _weights_of(files.read(WEIGHTS), origin=path)
    if any(metadata.get(key) != value for key, value in _fingerprints(source, target).items()):
        raise ModelError(f"{path}: the weights were trained with other tokenizers than those beside them")
    with torch.device("meta"), _Undrawn():
        model = build_model(
            recipe.model, source_vocabulary=source.vocabulary_size, target_vocabulary=target.vocabulary_size
        )
    _give_weights(model, weights, origin=path)
    return StoredModel(recipe, model.to(device).eval(), source, target, metadata)


def save_shortlist(directory: Path, shortlist: Shortlist, *, source: Tokenizer, target: Tokenizer) -> None:
    """Write or replace the shortlist of a model directory atomically."""
    shortlist.save(directory / SHORTLIST, fingerprints=_fingerprints(source, target))


def load_shortlist(place: str | Path, stored: StoredModel) -> Shortlist:
    """The shortlist beside a model that was loaded from `place`, a model directory or a bundle.

    Raises:
        ModelError: there is none, or it is damaged or of other tokenizers.
    """
    with open_model(Path(place)) as files:
        if not files.has(SHORTLIST):
            raise ModelError(
                f"{files.place}: the model has no shortlist; seq2seq-shortlist DIR makes that of a directory"
            )
        origin = files.place / SHORTLIST
        tensors, metadata = _weights_of(files.read(SHORTLIST), origin=origin)
    fingerprints = _fingerprints(stored.source_tokenizer, stored.target_tokenizer)
    return Shortlist.from_stored(tensors, metadata, origin=origin, fingerprints=fingerprints)


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file.

    Raises:
        ModelError: the file is truncated or no safetensors file.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{path}: the file is damaged or truncated ({error}); copy or train it again") from error


def _weights_of(data: bytes, *, origin: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """As :func:`read_weights`, of a file's bytes: the length of a header in JSON, the header, the numbers."""
    try:
        weights = safetensors.torch.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return weights, header.get("__metadata__", {})
    except (SafetensorError, ValueError) as error:
        raise ModelError(f"{origin}: the file is damaged or truncated ({error}); copy or train it again") from error


def load_weights(model: EncoderDecoder, weights: Mapping[str, Tensor], *, origin: Path) -> None:
    """Put `weights` into `model`; tied weights are there once, under the first of their names.

    Raises:
        ModelError: names or shapes are not the model's.
    """
    expected = _distinct(model.state_dict())
    _check_fit(expected, weights, origin=origin)
    with torch.no_grad():
        for name, tensor in expected.items():
            tensor.copy_(weights[name])


class _Undrawn(TorchFunctionMode):
    """Lets a network be made whose parameters have shapes alone: the numbers that it would begin with take their time.

    On the meta device nothing is computed, but drawing numbers there would import all of torch's compiler.
    """

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, arguments: Any = (), keywords: Any = None
    ) -> Any:
        keywords = keywords or {}
        if function in (Tensor.normal_, Tensor.uniform_) or getattr(function, "__module__", "") == nn.init.__name__:
            return arguments[0] if arguments else keywords["tensor"]
        return function(*arguments, **keywords)


def _give_weights(model: EncoderDecoder, weights: Mapping[str, Tensor], *, origin: Path) -> None:
    """As :func:`load_weights`, for a network whose parameters have shapes alone; tied ones stay one."""
    expected = dict(model.named_parameters())
    _check_fit(expected, weights, origin=origin)
    given = {
        id(parameter): nn.Parameter(weights[name].to(parameter.dtype, copy=True))
        for name, parameter in expected.items()
    }
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False, remove_duplicate=False):
            setattr(module, name, given[id(parameter)])


def _check_fit(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor], *, origin: Path) -> None:
    wrong = sorted(set(expected) ^ set(weights)) or [
        name for name, tensor in expected.items() if tensor.shape != weights[name].shape
    ]
    if wrong:
        raise ModelError(
            f"{origin}: the weights do not fit the recipe beside them, first at {wrong[0]}; they are from another model"
        )


def _distinct(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`weights` without the second names of tensors that share their memory."""
    seen: set[int] = set()
    distinct = {}
    for name, tensor in weights.items():
        if tensor.data_ptr() not in seen:
            distinct[name] = tensor
            seen.add(tensor.data_ptr())
    return distinct


def _fingerprints(source: Tokenizer, target: Tokenizer) -> dict[str, str]:
    return {"source_tokenizer": source.fingerprint, "target_tokenizer": target.fingerprint}


def _read_format(files: ModelFiles) -> dict[str, Any]:
    if not files.has(FORMAT):
        raise ModelError(f"{files.place}: this is no {files.kind}, {FORMAT} is missing")
    path = files.place / FORMAT
    try:
        description = json.loads(files.read(FORMAT))
    except ValueError as error:
        raise ModelError(f"{path}: the file is damaged ({error}); copy the model again") from error
    if not isinstance(description, dict):
        raise ModelError(f"{path}: the file is damaged, it holds no mapping; copy the model again")
    return description
