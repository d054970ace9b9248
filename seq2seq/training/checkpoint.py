"""The checkpoint: one safetensors file from which a run continues exactly.

It holds the network, the optimizer, the running mean of the weights, the baseline of a hard attention, the means
that updates are judged by, the states of the random generators, and as JSON in its header the progress and the loss
scale. One file, replaced atomically: a run
killed at any moment leaves either the old or the new one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from seq2seq.errors import TrainingError
from seq2seq.model_directory import read_weights
from seq2seq.storage import write_atomically
from seq2seq.training.average import RunningMean
from seq2seq.training.precision import Precision
from seq2seq.training.progress import Progress
from seq2seq.training.reinforce import Reinforce
from seq2seq.training.spikes import SpikeWatch

CHECKPOINT = "checkpoint.safetensors"
_VERSION = "2"
#: Version 1 has no record of bad updates.
_READABLE = ("1", "2")


def save_checkpoint(
    path: Path,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    mean: RunningMean | None,
    precision: Precision,
    progress: Progress,
    reinforce: Reinforce | None = None,
    watch: SpikeWatch | None = None,
) -> None:
    """Write the checkpoint atomically, forced to the disk.

    Raises:
        Seq2SeqError: it cannot be written; the previous one is untouched.
    """
    tensors = {f"model.{name}": parameter.detach() for name, parameter in model.named_parameters()}
    if mean is not None:
        tensors |= {f"mean.{name}": tensor for name, tensor in mean.state().items()}
    if reinforce is not None:
        tensors |= {f"reinforce.{name}": tensor for name, tensor in reinforce.state().items()}
    if watch is not None:
        tensors |= {f"watch.{name}": tensor for name, tensor in watch.state().items()}
    numbers: dict[str, Any] = {}
    for index, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{key}"] = value
            else:
                numbers[f"{index}.{key}"] = value
    tensors["random.cpu"] = torch.get_rng_state()
    if precision.device.type == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state(precision.device)
    metadata = {
        "version": _VERSION,
        "progress": progress.to_json(),
        "optimizer": json.dumps(numbers),
        "precision": json.dumps(precision.state()),
    }
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomically(path, lambda temporary: save_file(stored, temporary, metadata=metadata))


def load_checkpoint(
    path: Path,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    mean: RunningMean | None,
    precision: Precision,
    reinforce: Reinforce | None = None,
    watch: SpikeWatch | None = None,
) -> Progress:
    """Restore everything from `path` and return the progress.

    Raises:
        ModelError: the file is damaged.
        TrainingError: it is of a newer version or belongs to another network.
    """
    tensors, metadata = read_weights(path)
    if metadata.get("version") not in _READABLE:
        raise TrainingError(
            f"{path}: the checkpoint has version {metadata.get('version')}, but this release continues versions up "
            f"to {_VERSION}; continue with the release that wrote it, or start over with --fresh"
        )
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(".")
        groups.setdefault(kind, {})[rest] = tensor
    parameters = dict(model.named_parameters())
    stored = groups.get("model", {})
    if {name: tensor.shape for name, tensor in stored.items()} != {
        name: parameter.shape for name, parameter in parameters.items()
    }:
        raise TrainingError(f"{path}: the checkpoint is of another network; start over with --fresh")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(stored[name])
    if mean is not None:
        mean.load_state(groups["mean"])
    if reinforce is not None:
        reinforce.load_state(groups["reinforce"])
    if watch is not None:
        watch.load_state(groups.get("watch", {}))
    _load_optimizer(optimizer, groups.get("optimizer", {}), json.loads(metadata["optimizer"]))
    precision.load_state(json.loads(metadata["precision"]))
    torch.set_rng_state(groups["random"]["cpu"])
    if precision.device.type == "cuda" and "cuda" in groups["random"]:
        torch.cuda.set_rng_state(groups["random"]["cuda"], precision.device)
    return Progress.from_json(metadata["progress"])


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Restore the optimizer's state from tensors and numbers named `parameter.key`."""
    state: dict[int, dict[str, Any]] = {}
    for name, value in [*tensors.items(), *numbers.items()]:
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
