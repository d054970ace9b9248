"""Sampling: tokens drawn from the model's distribution, several hypotheses of every sentence at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seq2seq.search.compaction import sentences_to_keep
from seq2seq.search.coverage import Coverage
from seq2seq.search.history import Endings, History
from seq2seq.search.hypothesis import Hypothesis
from seq2seq.search.protocol import State, StepModel
from seq2seq.search.random_numbers import uniform
from seq2seq.search.request import Request
from seq2seq.search.so_far import TokensSoFar
from seq2seq.search.truncation import Truncation


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Which random numbers a search by sampling uses.

    `seed`, and `keys`, a LongTensor [sentences], which say which sentence it is: a sentence with the same seed and key
    draws the same, whatever its company.
    """

    seed: int
    keys: Tensor


@torch.no_grad()
def sample(
    model: StepModel[State], state: State, request: Request, *, draws: Draws, truncation: Truncation | None = None
) -> list[list[Hypothesis]]:
    """Draw ``request.beam`` hypotheses of every sentence, token by token, each independent of the others.

    ``state`` has one row per sentence. Tokens are drawn from the model's distribution over what the request's rules
    allow, as ``truncation`` changes it. The log-probabilities of the hypotheses are the model's own. Hypotheses of a
    sentence are in the order in which they were drawn and may be equal; one that reaches its maximum length is cut off.

    Raises:
        ModelError, ValueError: as :func:`~seq2seq.search.beam.beam_search` does.
    """
    if request.sentences == 0:
        return []
    truncation = truncation or Truncation()
    samples, max_lengths, device = request.beam, request.max_lengths, request.device
    history = History(sentences=request.sentences, with_attention=request.with_attention)
    all_endings = Endings.none(sentences=request.sentences, n_best=samples, device=device)
    endings = all_endings
    active = torch.arange(request.sentences, device=device)
    slots = torch.arange(samples, device=device)
    rows = active.repeat_interleave(samples)
    state = state.reorder(rows)
    tokens = torch.full((rows.shape[0],), request.bos_id, device=device)
    live = torch.zeros(request.sentences, samples, device=device)  # -inf once a hypothesis is done
    so_far = TokensSoFar.of(request).reorder(rows)
    coverage = Coverage.of(request)

    for length in range(1, int(max_lengths.max()) + 1):
        log_probs, state, attention = model.step(tokens, state)
        log_probs = request.rules.apply(
            log_probs.float(), sentences=active, length=length, so_far=so_far.tokens, eos_id=request.eos_id
        )
        coverage = coverage.add(attention)
        numbers = uniform(draws.seed, draws.keys[active][:, None], slots, length)  # [active, samples]
        tokens = _draw(truncation.weights(log_probs), numbers.flatten())
        chosen = log_probs.gather(1, tokens.unsqueeze(1)).view_as(live)
        drawn = tokens.view_as(live)
        total = live + chosen
        history.append(
            sentences=active,
            tokens=drawn,
            parents=slots.expand_as(drawn),
            log_probs=chosen,
            end_log_probs=chosen,
            attention=attention,
        )
        ends = drawn == request.eos_id
        stops = (ends | (max_lengths[:, None] == length)) & (live != -torch.inf)
        now = Endings(
            scores=request.scoring.score(total, length, coverage.logarithms(active)),
            log_probs=total,
            lengths=length - ends.long(),
            slots=slots.expand_as(drawn),
            finished=ends,
        )
        endings = endings.where(stops, now)
        live = total.masked_fill(stops, -torch.inf)
        so_far = so_far.append(tokens)
        kept = sentences_to_keep((live == -torch.inf).all(dim=1), step=length)
        if kept is not None:
            if kept.numel() == 0:
                break
            all_endings = all_endings.replace(active, endings)
            state = state.keep(kept)
            endings = endings.select(kept)
            so_far, coverage = so_far.keep(kept, of=active.shape[0]), coverage.keep(kept, of=active.shape[0])
            active, live, max_lengths = active[kept], live[kept], max_lengths[kept]
            tokens = drawn[kept].flatten()
    return history.hypotheses(all_endings.replace(active, endings))


def _draw(weights: Tensor, numbers: Tensor) -> Tensor:
    """One token of every row [rows] of `weights` [rows, vocab], by `numbers` [rows] of [0, 1).

    The cumulative distribution is inverted, which takes one random number a row; Gumbel noise would take one for every
    token. Tokens less probable than a float's precision, 6e-8, are never drawn.
    """
    cumulative = weights.cumsum(dim=1)
    total = cumulative[:, -1:]
    drawn = numbers[:, None] * total
    # Rounding must not reach the total, for a token's sum lies above what was drawn for it.
    drawn = drawn.minimum(total.nextafter(torch.zeros_like(total)))
    # In a row without a token, which only a hypothesis that has ended can have, the last one stands for none.
    return torch.searchsorted(cumulative, drawn, right=True).squeeze(1).clamp_max_(weights.size(1) - 1)
