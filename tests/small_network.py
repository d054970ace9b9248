"""Small networks whose outputs are far from equal, so that a mistake shows."""

from __future__ import annotations

from typing import Any

import torch

from seq2seq.build import build_model
from seq2seq.recipe import Model


def small_network(*, factor: float, **sections: Any) -> Any:
    """A network of 30 source and 40 target pieces, in evaluation mode; `sections` are those of a recipe's `model`.

    Its first weights are taken `factor` times.
    """
    sizes = {"hidden_size": 12, "embedding_size": 8, "layers": 2}
    sections.setdefault("encoder", {"hidden_size": 8, "embedding_size": 8})
    description = Model.model_validate({"decoder": sizes | sections.pop("decoder", {}), **sections})
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = build_model(description, source_vocabulary=30, target_vocabulary=40)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(factor)
    return model.eval()
