"""A module that stands for unbabel-comet: the same calls, and a model that counts words."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Prediction:
    scores: list[float]
    system_score: float


@dataclass
class Model:
    """Scores the share of the reference's words that are in the translation, less 0.1 for an empty source."""

    asked: list[tuple[list[dict[str, str]], dict[str, Any]]] = field(default_factory=list)

    def predict(
        self,
        samples: list[dict[str, str]],
        batch_size: int = 16,
        gpus: int = 1,
        devices: list[int] | str | int | None = None,
        mc_dropout: int = 0,
        progress_bar: bool = True,
        accelerator: str = "auto",
        num_workers: int | None = None,
        length_batching: bool = True,
    ) -> Prediction:
        options = {"batch_size": batch_size, "gpus": gpus, "devices": devices, "progress_bar": progress_bar}
        self.asked.append((samples, options))
        print("Predicting")  # as Lightning's bar does, on stdout
        scores = [self.score(**sample) for sample in samples]
        return Prediction(scores, sum(scores) / len(scores))

    @staticmethod
    def score(*, src: str, mt: str, ref: str) -> float:
        words = ref.split()
        return sum(word in mt.split() for word in words) / len(words) - (0.0 if src else 0.1)


class FakeComet(types.ModuleType):
    """The package: knows one model of the hub, and loads any checkpoint that is there."""

    __version__ = "2.2.7"

    def __init__(self, folder: Path, *, online: bool = True) -> None:
        super().__init__("comet")
        self.model = Model()
        self.online = online
        self.loaded: list[str] = []
        self._checkpoint = folder / "wmt22-comet-da" / "checkpoints" / "model.ckpt"
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        self._checkpoint.write_bytes(b"weights")

    def download_model(
        self, model: str, saving_directory: str | Path | None = None, local_files_only: bool = False
    ) -> str:
        if not self.online or model != "Unbabel/wmt22-comet-da":
            raise KeyError(f"Model '{model}' not supported by COMET.")
        return str(self._checkpoint)

    def load_from_checkpoint(
        self, checkpoint_path: str, reload_hparams: bool = False, strict: bool = False, local_files_only: bool = False
    ) -> Model:
        if Path(checkpoint_path).read_bytes() != b"weights":
            raise Exception("hparams.yaml file is missing from there!\nand more")
        self.loaded.append(checkpoint_path)
        return self.model
