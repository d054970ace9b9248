"""Marian, by its Python package: a translator for every beam and batch size, for they are options of its start.

Each thread translates a batch of its own, so a single sentence has one. A new translator is made and warmed up outside
the time.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from pathlib import Path
from typing import Any

from tools.benchmark_decoding.workers.pieces import PieceToolkit
from tools.benchmark_decoding.workers.protocol import serve


def load(settings: dict[str, Any]) -> PieceToolkit:
    """Load `model.npz` and `pieces.spm` of a folder, which tools/benchmark_decoding/marian.py has trained."""
    pymarian: Any = importlib.import_module("pymarian")
    directory = Path(settings["model"])
    made: dict[tuple[int, int], Any] = {}

    def translator(beam: int, batch_size: int) -> Any:
        if (beam, batch_size) not in made:
            made.clear()
            made[beam, batch_size] = pymarian.Translator(
                models=directory / "model.npz",
                vocabs=[directory / "pieces.spm", directory / "pieces.spm"],
                beam_size=beam,
                mini_batch=batch_size,
                maxi_batch=1000,
                maxi_batch_sort="src",
                normalize=settings["length_penalty"],
                cpu_threads=settings["threads"],
                max_length=1000,
                no_spm_encode="",
                no_spm_decode="",
                quiet="",
                quiet_translation="",
            )
            made[beam, batch_size].translate("▁a\n▁a ▁a")
        return made[beam, batch_size]

    translator(5, 64)  # so that loading is part of the start, and what is wrong with the model is known

    def prepare(beam: int, batch_size: int) -> None:
        translator(beam, batch_size)

    def search(pieces: list[list[str]], beam: int, batch_size: int) -> list[list[str]]:
        found = translator(beam, batch_size).translate("\n".join(" ".join(each) for each in pieces)).split("\n")
        return [line.split() for line in found]

    return PieceToolkit(
        tokenizer=str(directory / "pieces.spm"),
        prepare=prepare,
        search=search,
        versions={"Marian": importlib.metadata.version("pymarian")},
        detail=f"{settings['detail']}, fp32, sentences sorted by length, each thread its own batches",
    )


if __name__ == "__main__":
    serve(load)
