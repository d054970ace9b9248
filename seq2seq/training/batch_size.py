"""`training.batch: auto`: the largest batch that fits into memory and still helps learning."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from seq2seq.data.batch import Batch, batch_of_flat
from seq2seq.data.loader import TrainingLoader
from seq2seq.errors import TrainingError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.training.memory import free_memory
from seq2seq.training.objective import Objective
from seq2seq.training.precision import Precision
from seq2seq.training.splitting import is_out_of_memory, memory_needed_for
from seq2seq.training.step import train_step

#: Pieces of an update beyond which more of them hardly save any updates: the size that Vaswani et al. 2017 (section
#: 5.1) train with.
LARGEST = 25_000
#: Updates that an epoch shall have, at least: on a small corpus larger batches learn less from it in the same time.
#: Multi30k, with 435,000 pieces, gets batches of about 2,200; the size that served it best was 2,048.
UPDATES_PER_EPOCH = 200
#: Never fewer pieces than this, unless they do not fit.
_SMALLEST = 512
#: Share of the free memory that a batch may take: batches of other shapes fragment a GPU's, and on a machine's
#: processor others work too.
_SHARE_OF_GPU, _SHARE_OF_MACHINE = 0.85, 0.6
#: What backward takes beside the tensors that forward has kept for it, in shares of these. Measured as the highest
#: memory use of an update: 0.0 to 0.4 for most recipes of this repository, 1.0 once with the copy generator.
_BACKWARD = 1.0
#: Pairs of the two batches that are counted.
_PROBES = (4, 12)
#: How near to the largest the search comes.
_NEAR = 1.05


@dataclass(frozen=True)
class BatchSize:
    """The number that was found, and what bounds it, in words."""

    tokens: int
    bound: str


def find_batch_size(
    model: EncoderDecoder,
    loader: TrainingLoader,
    *,
    objective: Objective,
    make_optimizer: Callable[[EncoderDecoder], torch.optim.Optimizer],
    precision: Precision,
    accumulation: int,
    processes: int = 1,
) -> BatchSize:
    """The largest batch, in places on the longer side, of pairs as long as the corpus has them.

    On a GPU real updates are tried with a copy of the network, the size doubled and then bisected. A processor has no
    memory of its own that could run out without harm to others: there the tensors that forward keeps for backward are
    counted for two small batches, and a straight line through them is followed. Weights and random generators are left
    as they are.

    Args:
        model: the network, on its device.
        loader: of the training corpus; its own batches are not read.
        objective: the loss of training.
        make_optimizer: an optimizer for a copy of the network.
        precision: as in training.
        accumulation: batches of an update.
        processes: trainings that share the memory of a processor.

    Raises:
        TrainingError: not even one pair fits.
    """
    bound, most = useful(loader.places, accumulation=accumulation)
    # The baseline must not be moved by text that has no meaning.
    objective = dataclasses.replace(objective, reinforce=None)
    devices = [precision.device] if precision.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        free = free_memory(precision.device)
        if precision.device.type == "cuda":
            limit = int(_SHARE_OF_GPU * free)
            trial = _Trial(
                model, loader, objective=objective, make_optimizer=make_optimizer, precision=precision, limit=limit
            )
            tokens = largest(lambda size: trial.fits(size), least=max(loader.longest), most=most)
        else:
            limit = int(_SHARE_OF_MACHINE * free / processes)
            with memory_needed_for("a batch of twelve of the longest pairs", "lower corpus.max_pieces, or free memory"):
                fixed, per_token = _cost(model, loader, objective=objective, precision=precision)
            tokens = min(most, int((limit - fixed) / per_token))
            if tokens < max(loader.longest):
                tokens = 0
    if tokens == 0:
        source, target = loader.longest
        raise TrainingError(
            f"training.batch auto: not even a single pair of {source} source and {target} target pieces fits into the "
            f"{free / 2**30:.1f} GiB that are free; lower corpus.max_pieces, make the network smaller, or free memory"
        )
    if tokens >= most:
        return BatchSize(tokens, bound)
    return BatchSize(tokens, f"what {limit / 2**30:.1f} GiB of memory take, of {free / 2**30:.1f} GiB free")


def useful(places: int, *, accumulation: int) -> tuple[str, int]:
    """What bounds the size of a batch, if not memory, and that bound, for a corpus with so many places."""
    by_corpus = max(_SMALLEST, places // (UPDATES_PER_EPOCH * accumulation))
    by_learning = max(_SMALLEST, LARGEST // accumulation)
    if by_corpus < by_learning:
        return f"so that an epoch has about {UPDATES_PER_EPOCH} updates", by_corpus
    return "as more pieces to an update hardly help learning", by_learning


def largest(fits: Callable[[int], bool], *, least: int, most: int) -> int:
    """The largest number from `least` to `most` that fits, to 5 %; 0 if none does.

    Doubled from `least` until one does not fit, then bisected, so that nothing much too large is tried.
    """
    if not fits(least):
        return 0
    good = least
    while good < most:
        tried = min(2 * good, most)
        if not fits(tried):
            bad = tried
            while bad > _NEAR * good and bad - good > 1:
                middle = (good + bad) // 2
                if fits(middle):
                    good = middle
                else:
                    bad = middle
            return good
        good = tried
    return good


class _Trial:
    """Tries updates with a copy of a network on a GPU."""

    def __init__(
        self,
        model: EncoderDecoder,
        loader: TrainingLoader,
        *,
        objective: Objective,
        make_optimizer: Callable[[EncoderDecoder], torch.optim.Optimizer],
        precision: Precision,
        limit: int,
    ) -> None:
        # The copy takes the place of the optimizer's means or of a running mean that training will have beside it.
        self._model = copy.deepcopy(model).train()
        self._objective = objective
        self._optimizer = make_optimizer(self._model)
        self._precision = Precision(dtype=precision.dtype, device=precision.device)
        self._loader = loader
        self._limit = limit

    def fits(self, tokens: int) -> bool:
        """Whether an update with the longest pairs stays below the limit."""
        device = self._precision.device
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_reserved(device)
        try:
            train_step(
                self._model,
                [longest_batch(self._loader, tokens)],
                objective=self._objective,
                optimizer=self._optimizer,
                precision=self._precision,
                learning_rate=0.0,
                clip_by="norm",
                clip_threshold=1.0,
            )
            torch.cuda.synchronize(device)
        except (RuntimeError, TrainingError) as error:
            if not isinstance(error, TrainingError) and not is_out_of_memory(error):
                raise
            self._optimizer.zero_grad(set_to_none=True)
            return False
        return torch.cuda.max_memory_reserved(device) - before <= self._limit


def longest_batch(loader: TrainingLoader, tokens: int) -> Batch:
    """A batch of as many of the longest pairs as `tokens` places allow, and at least one; the pieces are any."""
    source, target = loader.longest
    rows = max(1, tokens // max(source, target))

    def side(length: int) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
        return numpy.full(rows * (length - 1), loader.special.eos_id), numpy.full(rows, length - 1)

    return batch_of_flat(*side(source), *side(target), special=loader.special)


def _cost(
    model: EncoderDecoder, loader: TrainingLoader, *, objective: Objective, precision: Precision
) -> tuple[float, float]:
    """Bytes that training takes beside the network itself: whatever the batch, and for each place of it."""
    weights = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    length = max(loader.longest)
    one, two = (
        _kept(model, longest_batch(loader, rows * length), objective=objective, precision=precision) for rows in _PROBES
    )
    per_token = (two - one) / ((_PROBES[1] - _PROBES[0]) * length)
    # Gradients, two means of the optimizer, and a copy to validate or to save.
    fixed = 4 * weights + max(0.0, one - _PROBES[0] * length * per_token)
    return fixed, (1.0 + _BACKWARD) * per_token


def _kept(model: EncoderDecoder, batch: Batch, *, objective: Objective, precision: Precision) -> int:
    """Bytes of the tensors that forward keeps for backward, each counted once, parameters left out."""
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, Tensor] = {}  # they stay alive meanwhile, so that no address comes twice

    def keep(tensor: Tensor) -> Tensor:
        address = tensor.untyped_storage().data_ptr()
        if address not in own:
            kept.setdefault(address, tensor)
        return tensor

    training = model.training
    model.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        losses = objective(model, batch, precision=precision)
    del losses
    model.train(training)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
