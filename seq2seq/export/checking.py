"""Whether exported graphs compute what the network computes."""

from __future__ import annotations

import math
from typing import Any

import onnxruntime
import torch
from torch import Tensor

from seq2seq.data.batch import make_source
from seq2seq.errors import ModelError
from seq2seq.export.network import Exported, named_tensors
from seq2seq.model.encoder_decoder import EncoderDecoder

#: Log-probabilities, states and attention differ by the order of additions alone.
TOLERANCE = 1e-3
#: Lengths of the sentences that are tried: other ones, and more, than those that the graphs were recorded with.
_LENGTHS = (9, 3, 1, 6)
_BEAM, _STEPS = 3, 4


@torch.no_grad()
def largest_difference(exported: Exported, encoder: bytes, step: bytes, model: EncoderDecoder) -> float:
    """The largest absolute difference between the graphs, on onnxruntime, and the network, over a few steps of a beam.

    `encoder` and `step` are the graphs' bytes. Ids of sentences and hypotheses are drawn.
    """
    generator = torch.Generator().manual_seed(1)
    pieces, vocabulary = model.encoder.embedding.num_embeddings, model.decoder.embedding.num_embeddings
    ids = [torch.randint(pieces, (length,), generator=generator).tolist() for length in _LENGTHS]
    source, lengths = make_source(ids, eos_id=0, pad_id=0)
    state = model.start(source, lengths)
    encoded = _run(_session(encoder), {"source": source, "source_lengths": lengths})
    largest = max(
        _difference(encoded[name], tensor) for name, tensor in named_tensors(state).items() if name in encoded
    )
    memory = {name: (encoded | {"source": source})[name] for name in exported.memory}
    states = {name: encoded[name] for name in exported.states}
    tokens, beam = torch.zeros(len(ids), dtype=torch.long), 1
    session = _session(step)
    for _ in range(_STEPS):
        log_probs, state, weights = model.step(tokens, state)
        given = _run(session, {"tokens": tokens, **memory, **states})
        largest = max(largest, _difference(given["log_probs"], log_probs))
        largest = max(largest, 0.0 if weights is None else _difference(given["attention"], weights))
        # Every sentence goes on with rows of its own, drawn, and drawn tokens.
        own = torch.randint(beam, (len(ids), _BEAM), generator=generator)
        rows = (torch.arange(len(ids))[:, None] * beam + own).flatten()
        state, beam = state.reorder(rows), _BEAM
        states = {name: given[f"next_{name}"][rows] for name in exported.states}
        tokens = torch.randint(vocabulary, rows.shape, generator=generator)
    return largest


def check(exported: Exported, encoder: bytes, step: bytes, model: EncoderDecoder) -> float:
    """:func:`largest_difference`; raises ModelError where it is more than rounding."""
    found = largest_difference(exported, encoder, step, model)
    if found > TOLERANCE:
        raise ModelError(
            f"the exported graphs differ from the network by {found:.2g}, so nothing was written; the model's weights "
            "are damaged, or this network cannot be exported yet"
        )
    return found


def _session(data: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _run(session: Any, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    wanted = {each.name for each in session.get_inputs()}
    names = [each.name for each in session.get_outputs()]
    outputs = session.run(names, {name: tensor.numpy() for name, tensor in inputs.items() if name in wanted})
    return {name: torch.from_numpy(array) for name, array in zip(names, outputs, strict=True)}


def _difference(one: Tensor, other: Tensor) -> float:
    if one.shape != other.shape:
        return math.inf
    largest = float((one.double() - other.double()).abs().max())
    return math.inf if math.isnan(largest) else largest  # of two numbers, max would forget a NaN
