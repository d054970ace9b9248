"""The first weights, by name."""

from __future__ import annotations

from typing import Literal

from torch import nn

InitializationName = Literal["orthogonal", "uniform", "normal"]


def initialize(model: nn.Module, *, name: InitializationName, scale: float, forget_bias: float | None) -> None:
    """Give the parameters of `model` their first values, drawn from torch's generator.

    - `orthogonal` leaves what the modules were made with. In recurrent layers that is: recurrent matrices orthogonal
      gate by gate (Saxe et al. 2014), input matrices Xavier-uniform (Glorot and Bengio 2010), biases 0 but for forget
      gates of 1 in total (Jozefowicz et al. 2015). Embeddings are of unit length on average, the output layer
      Xavier-uniform; the linear layers of bridge, attention, readout and gates are as PyTorch makes them.
    - `uniform` draws every weight and bias evenly from [-scale, scale] (Sutskever et al. 2014, section 3.4).
    - `normal` leaves recurrent matrices orthogonal, draws all others from a Gaussian of deviation `scale` and sets
      biases to 0, those of highway gates included, and forget gates to 1 (Cho et al. 2014 and Bahdanau et al. 2015,
      section B.1, whose GRUs have none).

    Gains, whose names begin with `gain`, are never touched. `forget_bias` is the total bias of the forget gates of
    LSTMs; with None it is as above.
    """
    for path, parameter in model.named_parameters():
        own = path.rpartition(".")[2]
        if name == "orthogonal" or own.startswith("gain"):
            continue
        if name == "uniform":
            nn.init.uniform_(parameter, -scale, scale)
        elif own.startswith("b"):
            nn.init.zeros_(parameter)
        elif own != "w_hh":
            nn.init.normal_(parameter, std=scale)
    if forget_bias is None and name == "normal":
        forget_bias = 1.0
    if forget_bias is not None:
        for module in model.modules():
            set_forget_bias = getattr(module, "set_forget_bias", None)
            if set_forget_bias is not None:
                set_forget_bias(forget_bias)
