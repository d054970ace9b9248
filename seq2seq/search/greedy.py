"""Greedy search: the best token at every step."""

from __future__ import annotations

import torch

from seq2seq.search.compaction import sentences_to_keep
from seq2seq.search.coverage import Coverage
from seq2seq.search.history import Endings, History
from seq2seq.search.hypothesis import Hypothesis
from seq2seq.search.protocol import State, StepModel
from seq2seq.search.request import Request
from seq2seq.search.selection import best_continuations
from seq2seq.search.so_far import TokensSoFar


@torch.no_grad()
def greedy_search(model: StepModel[State], state: State, request: Request) -> list[Hypothesis]:
    """Append the most probable token until it is the end of sentence; one hypothesis per sentence, in order.

    ``state`` has one row per sentence. Of the request ``beam`` and ``n_best`` are not looked at, and its scoring
    changes the score that is reported, nothing else. Of equally probable tokens the one with the lowest id is taken.

    Raises what :func:`~seq2seq.search.beam.beam_search` raises.
    """
    if request.sentences == 0:
        return []
    device, max_lengths = request.device, request.max_lengths
    history = History(sentences=request.sentences, with_attention=request.with_attention)
    all_endings = Endings.none(sentences=request.sentences, n_best=1, device=device)
    endings = all_endings
    active = torch.arange(request.sentences, device=device)
    tokens = torch.full((request.sentences,), request.bos_id, device=device)
    live = torch.zeros(request.sentences, 1, device=device)  # -inf once a sentence is done
    so_far = TokensSoFar.of(request)
    coverage = Coverage.of(request)

    for length in range(1, int(max_lengths.max()) + 1):
        log_probs, state, attention = model.step(tokens, state)
        log_probs = request.rules.apply(
            log_probs.float(), sentences=active, length=length, so_far=so_far.tokens, eos_id=request.eos_id
        )
        coverage = coverage.add(attention)
        best = best_continuations(log_probs, live, 1)
        history.append(
            sentences=active,
            tokens=best.tokens,
            parents=best.parents,
            log_probs=best.token_log_probs,
            end_log_probs=best.token_log_probs,
            attention=attention,
        )
        ends = best.tokens == request.eos_id
        stops = (ends | (max_lengths[:, None] == length)) & (live != -torch.inf)  # [active, 1]
        now = Endings(
            scores=request.scoring.score(best.log_probs, length, coverage.logarithms(active)),
            log_probs=best.log_probs,
            lengths=length - ends.long(),
            slots=torch.zeros_like(best.parents),
            finished=ends,
        )
        endings = endings.where(stops, now)
        live = best.log_probs.masked_fill(stops, -torch.inf)
        tokens = best.tokens.squeeze(1)
        so_far = so_far.append(tokens)
        kept = sentences_to_keep((live == -torch.inf).squeeze(1), step=length)
        if kept is not None:
            if kept.numel() == 0:
                break
            all_endings = all_endings.replace(active, endings)
            state = state.keep(kept)
            endings = endings.select(kept)
            so_far, coverage = so_far.keep(kept, of=active.shape[0]), coverage.keep(kept, of=active.shape[0])
            active, live, tokens, max_lengths = active[kept], live[kept], tokens[kept], max_lengths[kept]
    return [best[0] for best in history.hypotheses(all_endings.replace(active, endings))]
