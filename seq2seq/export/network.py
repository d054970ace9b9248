"""A network as two graphs: the encoder with all that is computed once per sentence, and one step of the decoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seq2seq.data.batch import make_source
from seq2seq.export import operators, shapes  # noqa: F401 - they say what the functions of torch are in ONNX
from seq2seq.export.graph import declared
from seq2seq.export.layers import recorded_layers
from seq2seq.export.recording import Recording, Sizes
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model.state import DecodingState

#: Lengths of an example's sentences, which differ, so that there is padding, and how many rows each has in a step. What
#: is made of the sizes of one example has another size in the other.
_EXAMPLES = (((5, 3), 3), ((8, 2, 7, 4, 6), 2))


@dataclass(frozen=True)
class Exported:
    """The graphs of a network, each an onnx.ModelProto, and the names of what passes between them.

    The encoder takes `source` [sentences, source_length] and `source_lengths` [sentences] and gives `memory`, which
    stays the same for all steps, and `states`, one row per sentence. The step takes `tokens` [rows], all of the memory
    and the states [rows, ...], rows grouped by sentence, and gives `log_probs` [rows, vocabulary], for every state
    `next_` and its name, and where the network weighs the source its `attention` [rows, source_length].
    """

    encoder: Any
    step: Any
    memory: tuple[str, ...]
    states: tuple[str, ...]


@torch.no_grad()
def export_network(model: EncoderDecoder) -> Exported:
    """The graphs of a network, which is on the CPU, in float32 and in evaluation mode.

    Raises:
        ModelError: it computes something for which there is no operator here.
    """
    encoder = _recorded(lambda number, sizes: _record_encoder(model, number, sizes))
    step = _recorded(lambda number, sizes: _record_step(model, number, sizes))
    states = tuple(value.name for value in encoder.graph.output if _is_state(value.name))
    memory = tuple(value.name for value in step.graph.input if value.name not in ("tokens", *states))
    return Exported(encoder, step, memory, states)


def _recorded(record: Callable[[int, Sizes | None], tuple[Any, Sizes]]) -> Any:
    """What `record` gives of the second example, told apart from the first."""
    _, sizes = record(0, None)
    return record(1, sizes)[0]


def _record_encoder(model: EncoderDecoder, number: int, other_sizes: Sizes | None) -> tuple[Any, Sizes]:
    recording = Recording(parameters=model.named_parameters(), other_sizes=other_sizes)
    source, lengths = _example(model, number)
    recording.input("source", source)
    recording.input("source_lengths", lengths)
    with recording, recorded_layers(model.encoder.stack, recording):
        state = model.start(source, lengths)
    named = named_tensors(state)
    inputs = {
        "source": declared("source", torch.int64, ["sentences", "source_length"]),
        "source_lengths": declared("source_lengths", torch.int64, ["sentences"]),
    }
    outputs = [
        (recording.value(tensor), declared(name, tensor.dtype, _axes(name, tensor, rows="sentences")))
        for name, tensor in named.items()
        if name != "source"
    ]
    return recording.graph.model(name="encoder", inputs=inputs, outputs=outputs), recording.sizes


def _record_step(model: EncoderDecoder, number: int, other_sizes: Sizes | None) -> tuple[Any, Sizes]:
    recording = Recording(parameters=model.named_parameters(), other_sizes=other_sizes)
    before, tokens = _begun(model, number)
    recording.input("tokens", tokens)
    inputs = {"tokens": declared("tokens", torch.int64, ["rows"])}
    for name, tensor in named_tensors(before).items():
        recording.input(name, tensor)
        inputs[name] = declared(name, tensor.dtype, _axes(name, tensor, rows="rows"))
    with recording:
        log_probs, after, weights = model.step(tokens, before)
    found = {"log_probs": log_probs} | {
        f"next_{name}": each for name, each in named_tensors(after).items() if _is_state(name)
    }
    if weights is not None:
        found["attention"] = weights
    outputs = [
        (recording.value(tensor), declared(name, tensor.dtype, _axes(name, tensor, rows="rows")))
        for name, tensor in found.items()
    ]
    return recording.graph.model(name="decoder_step", inputs=inputs, outputs=outputs), recording.sizes


def _example(model: EncoderDecoder, number: int) -> tuple[Tensor, Tensor]:
    """Sentences of any ids: the source and its lengths."""
    lengths, _ = _EXAMPLES[number]
    pieces = model.encoder.embedding.num_embeddings
    ids = [[(7 * place + length) % pieces for place in range(length)] for length in lengths]
    return make_source(ids, eos_id=0, pad_id=0)


def _begun(model: EncoderDecoder, number: int) -> tuple[DecodingState, Tensor]:
    """The state of a search in which every sentence has several rows, and their last tokens."""
    source, lengths = _example(model, number)
    beam = _EXAMPLES[number][1]
    rows = torch.arange(source.shape[0]).repeat_interleave(beam)
    state = model.start(source, lengths).reorder(rows)
    return state, rows % model.decoder.embedding.num_embeddings


def named_tensors(state: DecodingState) -> dict[str, Tensor]:
    """The tensors of a state by the names that they have in the graphs; what is there twice once."""
    found: dict[str, Tensor | None] = {"source": state.source}
    if state.memory is not None:
        memory = state.memory
        found |= {
            "memory_values": memory.values,
            "memory_keys": None if memory.keys is memory.values else memory.keys,
            "memory_mask": memory.mask,
            "memory_extra": memory.extra,
        }
    for number, layer in enumerate(state.decoder.layers):
        found |= {f"state_{number}_h": layer.h, f"state_{number}_c": layer.c}
    found["state_readout"] = state.decoder.attended
    found["state_attention"] = None if state.decoder.attention is None else state.decoder.attention.history
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def _is_state(name: str) -> bool:
    return name.startswith("state_")


def _axes(name: str, tensor: Tensor, *, rows: str) -> list[str | int]:
    """How the axes of a state or of a part of the memory are called, or how wide they are."""
    if name in ("source", "memory_mask"):
        return ["sentences", "source_length"]
    if name.startswith("memory_"):
        return ["sentences", "source_length" if tensor.shape[1] != 1 else 1, *tensor.shape[2:]]
    if name == "attention" or (name.endswith("state_attention") and tensor.dim() == 2):
        return [rows, "source_length"]
    return [rows, *tensor.shape[1:]]
