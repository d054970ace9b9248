"""OpenNMT-py 3.5: its InferenceEnginePY over lists of pieces, which sorts them by length before it makes batches.

One thing is not OpenNMT-py's own: torch 2.6 and later read a checkpoint's options, an argparse.Namespace, only when
told that they may.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
from pathlib import Path
from typing import Any

import torch

from tools.benchmark_decoding.workers.pieces import PieceToolkit
from tools.benchmark_decoding.workers.protocol import serve


def load(settings: dict[str, Any]) -> PieceToolkit:
    """Load `model.pt` of a folder."""
    torch.set_num_threads(settings["threads"])
    torch.serialization.add_safe_globals([argparse.Namespace])
    parsing: Any = importlib.import_module("onmt.utils.parse")
    options_of: Any = importlib.import_module("onmt.opts")
    inference: Any = importlib.import_module("onmt.inference_engine")
    directory = Path(settings["model"])
    parser = parsing.ArgumentParser()
    options_of.translate_opts(parser)
    options = parser.parse_args(
        [
            *("--model", str(directory / "model.pt"), "--src", "unused", "--output", "/dev/null"),
            *("--length_penalty", "avg", "--alpha", str(settings["length_penalty"])),
            *("--max_length", str(settings["max_length"]), "--batch_type", "sents"),
        ]
    )
    parsing.ArgumentParser.validate_translate_opts(options)
    parsing.ArgumentParser._get_all_transform_translate(options)
    parsing.ArgumentParser._validate_transforms_opts(options)
    parsing.ArgumentParser.validate_translate_opts_dynamic(options)
    engine = inference.InferenceEnginePY(options)
    engine.translator.report_score = False

    def search(pieces: list[list[str]], beam: int, batch_size: int) -> list[list[str]]:
        engine.opt.batch_size = batch_size
        engine.translator.beam_size = beam
        # The model was trained on sources that end with EOS, which OpenNMT-py does not add.
        _, found = engine.infer_list([" ".join([*each, "</s>"]) for each in pieces])
        return [best[0].split(" ") if best[0] else [] for best in found]

    return PieceToolkit(
        tokenizer=str(directory / "pieces.spm"),
        search=search,
        versions={"OpenNMT-py": importlib.metadata.version("OpenNMT-py"), "torch": torch.__version__},
        detail="InferenceEnginePY, fp32, sentences sorted by length",
    )


if __name__ == "__main__":
    serve(load)
