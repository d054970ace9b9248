"""Dropout inside a recurrence: what is drawn once per sequence, and what at every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from seq2seq.nn.dropout import dropconnect, dropout_mask

NoiseName = Literal["none", "variational", "candidate", "zoneout", "dropconnect"]


@dataclass(frozen=True)
class RecurrentNoise:
    r"""Which recurrent dropout a layer has, and its `probability` p.

    - `variational`: one mask per sequence on the h that the recurrent matrices read, scaled by 1/(1-p) (Gal and
      Ghahramani 2016).
    - `candidate`: a fresh mask per step on the candidate update of a gated cell, scaled by 1/(1-p); what the memory
      holds is never lost (Semeniuta et al. 2016, section 3).
    - `zoneout`: at every step each unit of h, and of c, keeps its old value with probability p; in evaluation
      :math:`p \cdot old + (1 - p) \cdot new` (Krueger et al. 2017, equation 4).
    - `dropconnect`: the elements of the recurrent matrices are dropped once for all sequences of a call, the others
      scaled by 1/(1-p) (Wan et al. 2013; Merity et al. 2018).
    """

    kind: NoiseName = "none"
    probability: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability < 1.0:
            raise ValueError(f"a dropout probability lies in [0, 1), but it is {self.probability}")
        if (self.kind == "none") != (self.probability == 0.0):
            raise ValueError("recurrent dropout is none exactly where its probability is 0")

    def draw(self, w_hh: Tensor, rows: int, output_size: int) -> LayerNoise | None:
        """The noise of `rows` sequences read by a cell with these recurrent matrices and outputs of this width."""
        match self.kind:
            case "none":
                return None
            case "variational":
                return LayerNoise(read=dropout_mask(w_hh, (rows, output_size), self.probability))
            case "candidate":
                return LayerNoise(candidate=self.probability)
            case "zoneout":
                return LayerNoise(zoneout=self.probability)
            case "dropconnect":
                return LayerNoise(w_hh=dropconnect(w_hh, self.probability, True))


#: No recurrent dropout.
NO_NOISE = RecurrentNoise()


@dataclass(frozen=True)
class LayerNoise:
    """What is drawn for one layer that reads one batch of sequences in training, to be passed to every step.

    Attributes:
        read: [rows, output], a factor on the h that the recurrent matrices read.
        w_hh: recurrent matrices to use in place of the cell's own: with elements dropped, and under autocast cast.
        candidate: probability of a candidate's element to be dropped, drawn at every step.
        zoneout: probability of a unit to keep its old value, drawn at every step.
    """

    read: Tensor | None = None
    w_hh: Tensor | None = None
    candidate: float = 0.0
    zoneout: float = 0.0
