"""Sampling: tokens drawn from the model's distribution, several hypotheses of every sentence at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from seq2seq.search.compaction import sentences_to_keep
from seq2seq.search.history import Endings, History
from seq2seq.search.hypothesis import Hypothesis
from seq2seq.search.protocol import State, StepModel
from seq2seq.search.request import check_request, never_generated
from seq2seq.search.scoring import normalise


@torch.no_grad()
def sample(
    model: StepModel[State],
    state: State,
    *,
    sentences: int,
    samples: int,
    max_lengths: Tensor,
    bos_id: int,
    eos_id: int,
    temperature: float = 1.0,
    length_penalty: float = 1.0,
    forbidden_ids: Sequence[int] = (),
    generator: torch.Generator | None = None,
) -> list[list[Hypothesis]]:
    """Draw ``samples`` hypotheses of every sentence, token by token, each independent of the others.

    A token's probability is the model's to the power 1 / ``temperature``, normalised over the tokens that are not
    forbidden. The log-probabilities of the hypotheses are the model's own. Hypotheses of a sentence are in the order in
    which they were drawn and may be equal; one that reaches ``max_lengths`` is cut off. The other arguments mean what
    they mean in :func:`~seq2seq.search.beam.beam_search`; ``generator`` is on the model's device, torch's own if None.

    Raises:
        ValueError: an argument that no search can use, or a temperature that is not above 0.
    """
    check_request(sentences=sentences, max_lengths=max_lengths, beam=samples, n_best=1, length_penalty=length_penalty)
    if not (math.isfinite(temperature) and temperature > 0.0):
        raise ValueError(f"temperature must be a finite number above 0, not {temperature}")
    if sentences == 0:
        return []
    device = max_lengths.device
    forbidden = never_generated(bos_id=bos_id, eos_id=eos_id, forbidden_ids=forbidden_ids, device=device)
    history = History(sentences=sentences, with_attention=False)
    all_endings = Endings.none(sentences=sentences, n_best=samples, device=device)
    endings = all_endings
    active = torch.arange(sentences, device=device)
    slots = torch.arange(samples, device=device)
    state = state.reorder(active.repeat_interleave(samples))
    tokens = torch.full((sentences * samples,), bos_id, device=device)
    live = torch.zeros(sentences, samples, device=device)  # -inf once a hypothesis is done

    for length in range(1, int(max_lengths.max()) + 1):
        log_probs, state, _ = model.step(tokens, state)
        log_probs = log_probs.float().index_fill_(1, forbidden, -torch.inf)
        tokens = _draw(log_probs, temperature, generator)
        chosen = log_probs.gather(1, tokens.unsqueeze(1)).view_as(live)
        drawn = tokens.view_as(live)
        so_far = live + chosen
        history.append(
            sentences=active,
            tokens=drawn,
            parents=slots.expand_as(drawn),
            log_probs=chosen,
            end_log_probs=chosen,
            attention=None,
        )
        ends = drawn == eos_id
        stops = (ends | (max_lengths[:, None] == length)) & (live != -torch.inf)
        now = Endings(
            scores=normalise(so_far, length=length, length_penalty=length_penalty),
            log_probs=so_far,
            lengths=length - ends.long(),
            slots=slots.expand_as(drawn),
            finished=ends,
        )
        endings = endings.where(stops, now)
        live = so_far.masked_fill(stops, -torch.inf)
        kept = sentences_to_keep((live == -torch.inf).all(dim=1), step=length)
        if kept is not None:
            if kept.numel() == 0:
                break
            all_endings = all_endings.replace(active, endings)
            state = state.keep(kept)
            endings = endings.select(kept)
            active, live, max_lengths = active[kept], live[kept], max_lengths[kept]
            tokens = drawn[kept].flatten()
    return history.hypotheses(all_endings.replace(active, endings))


def _draw(log_probs: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """One token of every row [rows] of `log_probs` [rows, vocab], float32, -inf where there is none to draw.

    The cumulative distribution is inverted, which takes one random number a row; Gumbel noise would take one for every
    token. Tokens less probable than a float's precision, 6e-8, are never drawn.
    """
    if temperature != 1.0:
        log_probs = (log_probs - log_probs.amax(dim=1, keepdim=True)) / temperature
    cumulative = log_probs.exp().cumsum(dim=1)
    total = cumulative[:, -1:]
    drawn = torch.rand(total.shape, device=total.device, generator=generator) * total
    # Rounding must not reach the total, for a token's sum lies above what was drawn for it.
    drawn = drawn.minimum(total.nextafter(torch.zeros_like(total)))
    # In a row without a token, which only a hypothesis that has ended can have, the last one stands for none.
    return torch.searchsorted(cumulative, drawn, right=True).squeeze(1).clamp_max_(log_probs.size(1) - 1)
