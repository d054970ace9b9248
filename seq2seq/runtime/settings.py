"""What a translator must know of an exported model beside its graphs, as it stands in `translator.json`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from seq2seq.errors import ModelError, UsageError

#: Of the folder; a newer one is refused.
FORMAT_VERSION = 1
DESCRIPTION, ENCODER, STEP = "translator.json", "encoder.onnx", "decoder_step.onnx"
SOURCE_TOKENIZER, TARGET_TOKENIZER = "source.spm", "target.spm"


@dataclass(frozen=True)
class SearchSettings:
    """How translations are searched: keys of a recipe's section `search`, which has the same names and defaults.

    Raises:
        UsageError: a value cannot be used.
    """

    beam: int = 5
    length_penalty: float = 1.0
    normalization: Literal["power", "gnmt"] = "power"
    word_penalty: float = 0.0
    coverage_penalty: float = 0.0
    stopping: Literal["exact", "heuristic"] = "exact"
    max_length_ratio: float = 2.0
    max_length_offset: int = 20
    max_length: int | None = None
    min_length_ratio: float = 0.0
    min_length: int = 0
    no_repeat_ngram: int = 0
    batch_size: int = 64
    long_input: Literal["split", "truncate", "error"] = "split"
    max_input_pieces: int = 200
    split_sentences: bool = False

    def __post_init__(self) -> None:
        for name in ("beam", "batch_size", "max_input_pieces", "max_length_offset", "max_length"):
            value = getattr(self, name)
            if (name, value) != ("max_length", None) and not _is_whole(value, least=1):
                raise UsageError(f"{name} must be a whole number of 1 or more, not {value!r}")
        for name in ("min_length", "no_repeat_ngram"):
            if not _is_whole(getattr(self, name), least=0):
                raise UsageError(f"{name} must be a whole number of 0 or more, not {getattr(self, name)!r}")
        for name in ("length_penalty", "coverage_penalty", "min_length_ratio"):
            if not (_is_number(getattr(self, name)) and getattr(self, name) >= 0.0):
                raise UsageError(f"{name} must be a number of 0 or more, not {getattr(self, name)!r}")
        if not (_is_number(self.max_length_ratio) and self.max_length_ratio > 0.0):
            raise UsageError(f"max_length_ratio must be a number above 0, not {self.max_length_ratio!r}")
        if not _is_number(self.word_penalty):
            raise UsageError(f"word_penalty must be a number, not {self.word_penalty!r}")
        for name, choices in (
            ("normalization", ("power", "gnmt")),
            ("stopping", ("exact", "heuristic")),
            ("long_input", ("split", "truncate", "error")),
        ):
            if getattr(self, name) not in choices:
                raise UsageError(f"{name} must be one of {', '.join(choices)}, not {getattr(self, name)!r}")


@dataclass(frozen=True)
class Description:
    """The content of `translator.json`.

    Attributes:
        search: how the model's recipe searches.
        memory: inputs of the step that stay the same for all steps, rows are sentences; `source` among them is the
            source itself, the others are outputs of the encoder.
        states: inputs that change, rows are hypotheses; outputs of the encoder and, with `next_` before their names, of
            the step.
        joint: whether one tokenizer is for both languages.
        files: SHA-256 of every other file, by its name.
    """

    search: SearchSettings
    memory: tuple[str, ...]
    states: tuple[str, ...]
    joint: bool
    files: dict[str, str]


def read_description(directory: Path) -> Description:
    """The description of an exported model.

    Raises:
        ModelError: there is none in `directory`, it is damaged, or of a newer format.
    """
    path = directory / DESCRIPTION
    if not path.is_file():
        what = "is no exported model, translator.json is missing" if directory.exists() else "does not exist"
        raise ModelError(f"{directory}: {what}; name a folder that seq2seq-export --format onnx wrote")
    try:
        content = json.loads(path.read_bytes())
        version = content["version"]
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise ModelError(
                f"{path}: the format has version {version}, but this release reads versions up to {FORMAT_VERSION}; "
                "install a newer release of seq2seq"
            )
        names = {each.name for each in fields(SearchSettings)}
        return Description(
            search=SearchSettings(**{name: value for name, value in content["search"].items() if name in names}),
            memory=tuple(content["memory"]),
            states=tuple(content["states"]),
            joint=bool(content["joint_tokenizer"]),
            files=dict(content["files"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise ModelError(f"{path}: the file is damaged ({error}); export the model again") from error


def description_bytes(description: Description, **more: Any) -> bytes:
    """The content of `translator.json`; what is given beside the description is for readers of the file."""
    search = {each.name: getattr(description.search, each.name) for each in fields(SearchSettings)}
    content = {
        "version": FORMAT_VERSION,
        **more,
        "joint_tokenizer": description.joint,
        "search": search,
        "memory": list(description.memory),
        "states": list(description.states),
        "files": description.files,
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _is_whole(value: object, *, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
