"""A bundle: what translation needs of a model directory, as one file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import torch

from seq2seq.model_directory import load_model
from seq2seq.model_files import FORMAT, RECIPE, SOURCE_TOKENIZER, TARGET_TOKENIZER, WEIGHTS, open_model
from seq2seq.shortlist import SHORTLIST
from seq2seq.storage import write_atomically

#: The first moment that a zip archive can name; with the real one, two bundles of one model would differ.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX, _PLAIN_FILE = 3, 0o100644


def write_bundle(model: Path, output: Path) -> None:
    """Write the model in `model`, a model directory or a bundle, as the bundle `output`.

    What the toolkit reads to translate is in it, byte for byte, and nothing else of a run's folder; the same model
    gives the same bytes. The model is loaded first, so that no bundle is made of one that is broken.

    Raises:
        ModelError: there is no model, it is damaged or not yet trained.
        Seq2SeqError: `output` cannot be written.
    """
    stored = load_model(model, device=torch.device("cpu"))
    joint = stored.target_tokenizer is stored.source_tokenizer
    names = [FORMAT, RECIPE, SOURCE_TOKENIZER, *([] if joint else [TARGET_TOKENIZER]), WEIGHTS]

    def write(path: Path) -> None:
        with open_model(model) as files, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for name in [*names, *([SHORTLIST] if files.has(SHORTLIST) else [])]:
                member = zipfile.ZipInfo(name, date_time=_NO_TIME)
                member.create_system = _UNIX  # on every system, for the same reason
                member.external_attr = _PLAIN_FILE << 16
                archive.writestr(member, files.read(name))

    write_atomically(output, write)
