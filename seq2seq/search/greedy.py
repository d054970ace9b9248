"""Greedy search: the best token at every step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seq2seq.search.compaction import sentences_to_keep
from seq2seq.search.history import Endings, History
from seq2seq.search.hypothesis import Hypothesis
from seq2seq.search.protocol import State, StepModel
from seq2seq.search.request import check_request, never_generated
from seq2seq.search.scoring import normalise
from seq2seq.search.selection import best_continuations


@torch.no_grad()
def greedy_search(
    model: StepModel[State],
    state: State,
    *,
    sentences: int,
    max_lengths: Tensor,
    bos_id: int,
    eos_id: int,
    length_penalty: float = 1.0,
    forbidden_ids: Sequence[int] = (),
    with_attention: bool = False,
) -> list[Hypothesis]:
    """Append the most probable token until it is the end of sentence; one hypothesis per sentence, in order.

    The arguments mean what they mean in :func:`~seq2seq.search.beam.beam_search`, and so do the errors.
    ``length_penalty`` changes the score that is reported, nothing else. Of equally probable tokens the one with the
    lowest id is taken.
    """
    check_request(sentences=sentences, max_lengths=max_lengths, beam=1, n_best=1, length_penalty=length_penalty)
    if sentences == 0:
        return []
    device = max_lengths.device
    forbidden = never_generated(bos_id=bos_id, eos_id=eos_id, forbidden_ids=forbidden_ids, device=device)
    history = History(sentences=sentences, with_attention=with_attention)
    all_endings = Endings.none(sentences=sentences, n_best=1, device=device)
    endings = all_endings
    active = torch.arange(sentences, device=device)
    tokens = torch.full((sentences,), bos_id, device=device)
    live = torch.zeros(sentences, 1, device=device)  # -inf once a sentence is done

    for length in range(1, int(max_lengths.max()) + 1):
        log_probs, state, attention = model.step(tokens, state)
        best = best_continuations(log_probs.float().index_fill_(1, forbidden, -torch.inf), live, 1)
        history.append(
            sentences=active,
            tokens=best.tokens,
            parents=best.parents,
            log_probs=best.token_log_probs,
            end_log_probs=best.token_log_probs,
            attention=attention,
        )
        ends = best.tokens == eos_id
        stops = (ends | (max_lengths[:, None] == length)) & (live != -torch.inf)  # [active, 1]
        now = Endings(
            scores=normalise(best.log_probs, length=length, length_penalty=length_penalty),
            log_probs=best.log_probs,
            lengths=length - ends.long(),
            slots=torch.zeros_like(best.parents),
            finished=ends,
        )
        endings = endings.where(stops, now)
        live = best.log_probs.masked_fill(stops, -torch.inf)
        tokens = best.tokens.squeeze(1)
        kept = sentences_to_keep((live == -torch.inf).squeeze(1), step=length)
        if kept is not None:
            if kept.numel() == 0:
                break
            all_endings = all_endings.replace(active, endings)
            state = state.keep(kept)
            endings = endings.select(kept)
            active, live, tokens, max_lengths = active[kept], live[kept], tokens[kept], max_lengths[kept]
    return [best[0] for best in history.hypotheses(all_endings.replace(active, endings))]
