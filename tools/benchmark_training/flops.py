"""Arithmetic of a training update: the floating-point operations of its matrix products, counted on the network.

The recipe's network is built without memory for its weights, with layers that loop over time in place of the fused
kernels, which no counter sees into, and reads one pair; every product of matrices counts 2 m n k, a product of a matrix
and a vector 2 m n. Backward, every product has two of its size: the gradients of both factors. Element-wise work does
not count, nor what an implementation computes twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from seq2seq.build import build_model
from seq2seq.model.bridge import Bridge
from seq2seq.model.decoder import DecoderOutput
from seq2seq.model.encoder import EncodedSource
from seq2seq.model.encoder_decoder import EncoderDecoder, mask_of
from seq2seq.recipe import Decoder, Encoder, Model
from seq2seq.recipe.recurrence import SCAN_CELLS

#: Forward once, backward twice.
PASSES = 3
Section = TypeVar("Section", Encoder, Decoder)


@dataclass(frozen=True)
class Flops:
    """Operations of a pair of sentences, forward and backward, by part of the network."""

    encoder: float
    decoder: float
    output: float

    @property
    def total(self) -> float:
        """All parts."""
        return self.encoder + self.decoder + self.output


class FlopCount:
    """Operations of a pair of any lengths.

    Those of a network are a + b S + c T + d S T for a source of S and a target of T pieces: bridges, layers and the
    output, attention. Four counts give the four terms.
    """

    def __init__(self, model: Model, *, vocabularies: tuple[int, int]) -> None:
        """`vocabularies`: numbers of pieces of source and target."""
        counts = {
            (source, target): _count(model, vocabularies, source, target) for source in _LENGTHS for target in _LENGTHS
        }
        short, long = _LENGTHS
        self._terms = []
        for part in range(3):
            f00, f10, f01, f11 = (
                counts[place][part] for place in ((short, short), (long, short), (short, long), (long, long))
            )
            step = long - short
            self._terms.append((f00, (f10 - f00) / step, (f01 - f00) / step, (f11 - f10 - f01 + f00) / step**2))

    def of(self, source_length: float, target_length: float) -> Flops:
        """Operations of one pair without padding; lengths, EOS counted, may be means."""
        s, t = source_length - _LENGTHS[0], target_length - _LENGTHS[0]
        return Flops(*(one + source * s + target * t + both * s * t for one, source, target, both in self._terms))


#: Lengths that the terms are found from: short, since layers loop over time here, but not so short as 1.
_LENGTHS = (2, 4)


def _count(model: Model, vocabularies: tuple[int, int], source_length: int, target_length: int) -> tuple[int, int, int]:
    """Operations of encoder, decoder and output layer."""
    unfused = model.model_copy(update={"encoder": _unfused(model.encoder), "decoder": _unfused(model.decoder)})
    with FakeTensorMode(), torch.no_grad():
        network = build_model(unfused, source_vocabulary=vocabularies[0], target_vocabulary=vocabularies[1]).eval()
        source = torch.zeros(1, source_length, dtype=torch.int64)
        target = torch.zeros(1, target_length, dtype=torch.int64)
        lengths = torch.full((1,), source_length)
        counters = [_counter() for _ in range(3)]
        with counters[0]:
            encoded = network.encoder(source, lengths, mask_of(lengths, source_length))
        with counters[1]:
            outputs = _decode(network, encoded, target)
        with counters[2]:
            network.output(outputs.readout)
            if network.copying is not None:
                network.copying.gate(outputs.features)
    encoder, decoder, output = (PASSES * counter.get_total_flops() for counter in counters)
    return encoder, decoder, output


def _decode(network: EncoderDecoder, encoded: EncodedSource, target: Tensor) -> DecoderOutput:
    decoder, bridge = network.decoder, cast(Bridge, network.bridge)
    memory = None if decoder.attention is None else decoder.attention.remember(encoded.values, encoded.mask)
    return decoder.sequence(target, decoder.start(bridge(encoded), memory), memory)[0]


def _unfused(section: Section) -> Section:
    """The section with a kind of dropout that no fused kernel has; in evaluation it does nothing."""
    if section.cell in SCAN_CELLS:
        return section
    return section.model_copy(update={"recurrent_dropout_kind": "variational", "recurrent_dropout": 0.5})


def _counter() -> FlopCounterMode:
    # The counter knows products of matrices, but not those of a matrix and a vector.
    return FlopCounterMode(display=False, custom_mapping={torch.ops.aten.mv: _matrix_vector})


def _matrix_vector(matrix: Sequence[int], vector: Sequence[int], **_: Any) -> int:
    """Operations of a product, from the shapes of its factors."""
    return 2 * matrix[0] * matrix[1]
