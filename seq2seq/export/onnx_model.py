"""A model as a folder for runtimes of ONNX: two graphs, the tokenizers, and what a translator must know."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import torch

from seq2seq.errors import ModelError, Seq2SeqError
from seq2seq.export.checking import check
from seq2seq.export.graph import OPSET, serialized
from seq2seq.export.network import export_network
from seq2seq.model_directory import StoredModel, load_model
from seq2seq.runtime.settings import (
    DESCRIPTION,
    ENCODER,
    SOURCE_TOKENIZER,
    STEP,
    TARGET_TOKENIZER,
    Description,
    SearchSettings,
    description_bytes,
)
from seq2seq.storage import write_atomically
from seq2seq.text.tokenizer import Tokenizer

#: Larger messages cannot be written by protobuf.
_MOST_BYTES = 2**31 - 1


def write_onnx(model: Path, output: Path) -> float:
    """Write the model in `model`, a model directory or a bundle, as the folder `output`, wholly or not at all.

    Before anything is written, onnxruntime runs the graphs on drawn ids.

    Returns:
        The largest difference from the network's own numbers there.

    Raises:
        ModelError: there is no model, it is damaged or not yet trained, or cannot be exported.
        Seq2SeqError: `output` cannot be written.
    """
    stored = load_model(model, device=torch.device("cpu"))
    too_large = f"{model}: the network is too large, for a graph of ONNX holds 2 GiB at most"
    if 4 * sum(parameter.numel() for parameter in stored.model.parameters()) > _MOST_BYTES:
        raise ModelError(too_large)
    exported = export_network(stored.model)
    encoder, step = serialized(exported.encoder), serialized(exported.step)
    difference = check(exported, encoder, step, stored.model)
    files = {ENCODER: encoder, STEP: step, SOURCE_TOKENIZER: stored.source_tokenizer.to_bytes()}
    joint = stored.target_tokenizer is stored.source_tokenizer
    if not joint:
        files[TARGET_TOKENIZER] = stored.target_tokenizer.to_bytes()
    description = Description(
        search=_search_of(stored),
        memory=exported.memory,
        states=exported.states,
        joint=joint,
        files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    )
    files[DESCRIPTION] = description_bytes(
        description,
        opset=OPSET,
        languages={"source": stored.recipe.corpus.source_language, "target": stored.recipe.corpus.target_language},
        special_ids={"source": _special_ids(stored.source_tokenizer), "target": _special_ids(stored.target_tokenizer)},
    )
    _write_folder(output, files)
    return difference


def _search_of(stored: StoredModel) -> SearchSettings:
    section = stored.recipe.search
    return SearchSettings(**{each.name: getattr(section, each.name) for each in fields(SearchSettings)})


def _special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    return {
        "pad": tokenizer.pad_id,
        "unknown": tokenizer.unk_id,
        "begin": tokenizer.bos_id,
        "end": tokenizer.eos_id,
    }


def _write_folder(output: Path, files: Mapping[str, bytes]) -> None:
    temporary = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        temporary.mkdir()
        for name, data in files.items():
            write_atomically(temporary / name, data)
        os.rename(temporary, output)
    except OSError as error:
        raise Seq2SeqError(f"{output}: cannot be saved ({error.strerror}); nothing was written") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
