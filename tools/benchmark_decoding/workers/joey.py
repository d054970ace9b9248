"""JoeyNMT 2.3: its `predict` over a stream of pieces.

Three things are not JoeyNMT's own, all of them cheap:

- it sorts sentences inside a batch and not before, so the worker hands them over sorted by length;
- its LSTM decoder starts with c equal to h; the encoder's c is handed over as the network here has it;
- its output layer has no bias; the network's is put there.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tools.benchmark_decoding.workers.pieces import PieceToolkit
from tools.benchmark_decoding.workers.protocol import serve


def load(settings: dict[str, Any]) -> PieceToolkit:
    """Load a model directory."""
    torch.set_num_threads(settings["threads"])
    config: Any = importlib.import_module("joeynmt.config")
    prediction: Any = importlib.import_module("joeynmt.prediction")
    logging.getLogger("joeynmt").setLevel(logging.WARNING)
    directory = Path(settings["model"])
    arguments = config.parse_global_args(config.load_config(str(directory / "config.yaml")), rank=0, mode="translate")
    model, _, _, stream = prediction.prepare(arguments, rank=0, mode="translate")
    model.eval()
    _complete(model, torch.load(directory / "best.ckpt", weights_only=True)["output_bias"])

    def search(pieces: list[list[str]], beam: int, batch_size: int) -> list[list[str]]:
        order = sorted(range(len(pieces)), key=lambda place: len(pieces[place]))
        stream.reset_cache()
        for place in order:
            stream.set_item(" ".join(pieces[place]))
        test = arguments.test._replace(
            beam_size=beam,
            beam_alpha=settings["length_penalty"],
            batch_size=batch_size,
            batch_type="sentence",
            max_output_length=settings["max_length"],
        )
        _, _, _, tokens, _, _ = prediction.predict(
            model=model,
            data=stream,
            device=arguments.device,
            n_gpu=0,
            normalization="none",
            args=test,
            autocast=arguments.autocast,
        )
        found: list[list[str]] = [[]] * len(pieces)
        for place, each in zip(order, tokens, strict=True):
            found[place] = [piece for piece in each if piece != "</s>"]
        return found

    return PieceToolkit(
        tokenizer=str(directory / "pieces.spm"),
        search=search,
        versions={"JoeyNMT": importlib.metadata.version("joeynmt"), "torch": torch.__version__},
        detail="predict, fp32, sentences sorted by length for it, GNMT's length penalty",
    )


def _complete(model: Any, output_bias: Tensor) -> None:
    """Give the network what JoeyNMT has no place for; see the module."""
    model.decoder.output_layer.bias = nn.Parameter(output_bias)
    last: list[Tensor] = []

    def keep(module: nn.Module, inputs: Any, outputs: Any) -> None:
        ahead, back = outputs[1][1]  # c of both directions, [batch, hidden] each
        last[:] = [torch.cat((ahead, back), dim=-1)]

    model.encoder.rnn.register_forward_hook(keep)
    model.decoder._init_hidden = lambda final: (final.unsqueeze(0), last[0].unsqueeze(0))


if __name__ == "__main__":
    serve(load)
