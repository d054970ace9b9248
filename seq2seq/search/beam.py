"""Beam search over all sentences of a batch at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seq2seq.search.compaction import sentences_to_keep
from seq2seq.search.greedy import greedy_search
from seq2seq.search.history import Endings, History
from seq2seq.search.hypothesis import Hypothesis
from seq2seq.search.protocol import State, StepModel
from seq2seq.search.request import check_request, never_generated
from seq2seq.search.scoring import best_reachable, normalise
from seq2seq.search.selection import Continuations, best_continuations


@torch.no_grad()
def beam_search(
    model: StepModel[State],
    state: State,
    *,
    sentences: int,
    max_lengths: Tensor,
    bos_id: int,
    eos_id: int,
    beam: int,
    n_best: int = 1,
    length_penalty: float = 1.0,
    forbidden_ids: Sequence[int] = (),
    with_attention: bool = False,
) -> list[list[Hypothesis]]:
    """Return the ``n_best`` best hypotheses of every sentence, best first, keeping ``beam`` of them alive.

    Arguments: ``state`` has one row per sentence. ``max_lengths`` (LongTensor [sentences], on the model's device)
    bounds the tokens of a hypothesis, its end of sentence counted. ``bos_id`` starts every hypothesis and is never
    generated, nor are ``forbidden_ids`` (padding, the unknown token); ``eos_id`` is never forbidden, even where a
    tokenizer without padding names it twice. With ``beam`` 1 this is :func:`~seq2seq.search.greedy.greedy_search`.

    One step: of all continuations of a sentence the best 2 * ``beam`` by log-probability are drawn up. An end of
    sentence among the first ``beam`` of them makes a finished hypothesis (further down it is dropped, as in any
    beam); the first ``beam`` others go on. As at most ``beam`` of the 2 * ``beam`` are ends, finished hypotheses take
    no place in the beam. Ties go to the lowest parent, then to the lowest token.

    Score: log-probability / n ** ``length_penalty`` with n tokens, the end of sentence counted.

    Stopping is exact: a sentence is done when ``n_best`` of its finished hypotheses score at least as high as
    anything that its live ones could still become. Proof: appending tokens never raises a log-probability, which is
    at most 0, so no descendant of a live hypothesis scores above the live log-probability / max_length **
    ``length_penalty``.

    At its maximum length a sentence ends. Hypotheses still alive then are returned only where there are fewer than
    ``n_best`` finished ones, after these, with ``finished`` False. A sentence has fewer than ``n_best`` results only
    if there are no more possible ones. The results of a sentence are distinct, and do not depend on the other
    sentences.

    Raises ValueError for arguments that make no sense, ModelError if the model gives NaN or only impossible tokens.
    """
    check_request(sentences=sentences, max_lengths=max_lengths, beam=beam, n_best=n_best, length_penalty=length_penalty)
    if beam == 1:
        hypotheses = greedy_search(
            model,
            state,
            sentences=sentences,
            max_lengths=max_lengths,
            bos_id=bos_id,
            eos_id=eos_id,
            length_penalty=length_penalty,
            forbidden_ids=forbidden_ids,
            with_attention=with_attention,
        )
        return [[hypothesis] for hypothesis in hypotheses]
    if sentences == 0:
        return []
    device = max_lengths.device
    forbidden = never_generated(bos_id=bos_id, eos_id=eos_id, forbidden_ids=forbidden_ids, device=device)
    history = History(sentences=sentences, with_attention=with_attention)
    all_endings = Endings.none(sentences=sentences, n_best=n_best, device=device)
    endings = all_endings
    active = torch.arange(sentences, device=device)
    tokens = torch.full((sentences,), bos_id, device=device)
    live = torch.zeros(sentences, 1, device=device)  # log-probabilities, [active, beam] from the first step on
    cut_off = torch.full((sentences, beam), -torch.inf, device=device)  # those alive at their maximum length

    for length in range(1, int(max_lengths.max()) + 1):
        width = live.shape[1]
        log_probs, state, attention = model.step(tokens, state)
        log_probs = log_probs.float().index_fill_(1, forbidden, -torch.inf)
        drawn = best_continuations(log_probs, live, 2 * beam)
        is_end = drawn.tokens == eos_id  # [active, 2 * beam]

        endings = endings.join(_finished(drawn, is_end, length, beam, length_penalty)).best_first(n_best)
        # A stable sort of "is an end" leaves the others in front, best first.
        chosen = is_end.sort(dim=1, stable=True).indices[:, :beam]
        live = drawn.log_probs.masked_fill(is_end, -torch.inf).gather(1, chosen)
        parents, tokens = drawn.parents.gather(1, chosen), drawn.tokens.gather(1, chosen)  # [active, beam]
        history.append(
            sentences=active,
            tokens=tokens,
            parents=parents,
            log_probs=drawn.token_log_probs.gather(1, chosen),
            end_log_probs=log_probs[:, eos_id].clone().view(-1, width),  # a view would keep all of log_probs
            attention=attention,
        )

        at_limit = max_lengths == length
        cut_off = torch.where(at_limit[:, None], live, cut_off)
        bound = best_reachable(live[:, 0], max_lengths=max_lengths, length_penalty=length_penalty)
        done = at_limit | (endings.scores[:, -1] >= bound)  # nothing alive: the bound is -inf
        # Whether or not a sentence that is done leaves the batch at once, nothing more happens to it.
        live = live.masked_fill(done[:, None], -torch.inf)
        kept = sentences_to_keep(done, step=length)
        if kept is not None:
            if kept.numel() == 0:
                break
            all_endings = all_endings.replace(active, _with_cut_off(endings, cut_off, max_lengths, length_penalty))
            state = state.keep(kept)
            endings = endings.select(kept)
            active, live, max_lengths, cut_off = active[kept], live[kept], max_lengths[kept], cut_off[kept]
            parents, tokens = parents[kept], tokens[kept]
        first_rows = torch.arange(0, active.shape[0] * width, width, device=device)
        state = state.reorder((first_rows[:, None] + parents).flatten())
        tokens = tokens.flatten()
    all_endings = all_endings.replace(active, _with_cut_off(endings, cut_off, max_lengths, length_penalty))
    return history.hypotheses(all_endings)


def _finished(drawn: Continuations, is_end: Tensor, length: int, beam: int, length_penalty: float) -> Endings:
    """The ends of sentence among the first ``beam`` continuations, as endings [active, beam]."""
    log_probs = drawn.log_probs[:, :beam].masked_fill(~is_end[:, :beam], -torch.inf)
    return Endings(
        scores=normalise(log_probs, length=length, length_penalty=length_penalty),
        log_probs=log_probs,
        lengths=torch.full_like(drawn.parents[:, :beam], length - 1),
        slots=drawn.parents[:, :beam],
        finished=torch.ones_like(is_end[:, :beam]),
    )


def _with_cut_off(endings: Endings, cut_off: Tensor, max_lengths: Tensor, length_penalty: float) -> Endings:
    """Fill empty places of ``endings`` with the hypotheses ``cut_off`` [active, beam] at their maximum length."""
    lengths = max_lengths[:, None].expand_as(cut_off)
    unfinished = Endings(
        scores=best_reachable(cut_off, max_lengths=lengths, length_penalty=length_penalty),
        log_probs=cut_off,
        lengths=lengths,
        slots=torch.arange(cut_off.shape[1], device=cut_off.device).expand_as(cut_off),
        finished=torch.zeros_like(cut_off, dtype=torch.bool),
    )
    return endings.join(unfinished).filled_first(endings.scores.shape[1])
