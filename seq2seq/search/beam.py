"""Beam search over all sentences of a batch at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seq2seq.search.compaction import sentences_to_keep
from seq2seq.search.constraints import ConstrainedExpansion
from seq2seq.search.coverage import Coverage
from seq2seq.search.expansion import BestExpansion, DiverseExpansion, Expansion
from seq2seq.search.greedy import greedy_search
from seq2seq.search.history import Endings, History
from seq2seq.search.hypothesis import Hypothesis
from seq2seq.search.outcome import CutOff, finished, of_parents
from seq2seq.search.protocol import State, StepModel
from seq2seq.search.request import Request
from seq2seq.search.so_far import TokensSoFar
from seq2seq.search.waiting import any_true, looking_waits


@torch.no_grad()
def beam_search(model: StepModel[State], state: State, request: Request) -> list[list[Hypothesis]]:
    """Return the ``request.n_best`` best hypotheses of every sentence, best first, keeping ``request.beam`` alive.

    ``state`` has one row per sentence. With a beam of 1, unless some phrase must appear, this is
    :func:`~seq2seq.search.greedy.greedy_search`.

    One step: of all continuations of a sentence the best 2 * beam by log-probability are drawn up. An end of sentence
    among the first beam of them makes a finished hypothesis (further down it is dropped, as in any beam); the first
    beam others go on. As at most beam of the 2 * beam are ends, finished hypotheses take no place in the beam. Ties go
    to the lowest parent, then to the lowest token. Diverse beam search and phrases that must appear choose otherwise:
    :mod:`~seq2seq.search.expansion` and :mod:`~seq2seq.search.constraints`.

    Stopping is exact: a sentence is done when ``n_best`` of its finished hypotheses score at least as high as anything
    that its live ones could still become; :meth:`~seq2seq.search.scoring.Scoring.best_reachable` has the proof, and
    the heuristic that may be asked for in its place. Of a diverse search every group stops by itself, with as many
    hypotheses as it has places.

    At its maximum length a sentence ends. Hypotheses still alive then are returned only where there are fewer than
    ``n_best`` finished ones, after these, with ``finished`` False. A sentence has fewer than ``n_best`` results only
    if there are no more possible ones. The results of a sentence are distinct, and do not depend on the other
    sentences.

    Raises ModelError if the model gives NaN or only impossible tokens, ValueError where a coverage penalty meets a
    model without attention.
    """
    if request.beam == 1 and request.constraints is None:
        return [[hypothesis] for hypothesis in greedy_search(model, state, request)]
    if request.sentences == 0:
        return []
    groups = 1 if request.diversity is None else request.diversity.groups
    if groups == 1:
        return _search(model, state, request, _expansion(request), groups=1)
    # Every group is a sentence of its own, but for what they choose and for when they leave.
    state = state.reorder(_repeated(request.sentences, groups, request.device))
    found = _search(model, state, request.repeated(groups), _expansion(request), groups=groups)
    return [
        _distinct([best for group in found[first : first + groups] for best in group], request.n_best)
        for first in range(0, len(found), groups)
    ]


def _expansion(request: Request) -> Expansion:
    if request.constraints is not None:
        return ConstrainedExpansion(phrases=request.constraints, beam=request.beam, eos_id=request.eos_id)
    if request.diversity is None:
        return BestExpansion(beam=request.beam, eos_id=request.eos_id)
    groups = request.diversity.groups
    return DiverseExpansion(
        groups=groups, beam=request.beam // groups, strength=request.diversity.strength, eos_id=request.eos_id
    )


def _search(
    model: StepModel[State], state: State, request: Request, expand: Expansion, *, groups: int
) -> list[list[Hypothesis]]:
    """The steps; ``groups`` sentences that follow one another leave the batch together."""
    scoring, eos_id, device = request.scoring, request.eos_id, request.device
    beam, max_lengths = request.beam, request.max_lengths
    history = History(sentences=request.sentences, with_attention=request.with_attention)
    all_endings = Endings.none(sentences=request.sentences, n_best=request.n_best, device=device)
    endings = all_endings
    active = torch.arange(request.sentences, device=device)
    tokens = torch.full((request.sentences,), request.bos_id, device=device)
    live = torch.zeros(request.sentences, 1, device=device)  # log-probabilities, [active, beam] from the first step on
    cut_off = CutOff.none(sentences=request.sentences, beam=beam, device=device)
    so_far = TokensSoFar.of(request)
    coverage = Coverage.of(request)
    met: Tensor | None = None
    # Where looking does not make the host wait, what nothing calls for is left out.
    waits = looking_waits(device)
    any_ended, first_limit = waits, 0 if waits else int(max_lengths.min())
    first_rows, last_width = active, 0

    for length in range(1, int(max_lengths.max()) + 1):
        width = live.shape[1]
        log_probs, state, attention = model.step(tokens, state)
        log_probs = request.rules.apply(
            log_probs.float(), sentences=active, length=length, so_far=so_far.tokens, eos_id=eos_id
        )
        coverage = coverage.add(attention)
        covered = coverage.logarithms(active)
        expanded = expand(log_probs, live, sentences=active, so_far=so_far.tokens, met=met)
        going_on, met = expanded.going_on, expanded.met

        if expanded.ends is not None:
            any_ended = True
            endings = endings.join(finished(expanded.ends, scoring, length, covered)).best_first(request.n_best)
        live, parents, tokens = going_on.log_probs, going_on.parents, going_on.tokens  # [active, beam]
        history.append(
            sentences=active,
            tokens=tokens,
            parents=parents,
            log_probs=going_on.token_log_probs,
            end_log_probs=log_probs[:, eos_id].clone().view(-1, width),  # a view would keep all of log_probs
            attention=attention,
        )

        kept: Tensor | None = None
        if any_ended or length >= first_limit:
            # Where the best is NaN the bound is too, and the search goes on, to its report.
            bound = scoring.best_reachable(live.amax(dim=1), length=length, max_lengths=max_lengths)
            done = endings.scores[:, -1] >= bound  # nothing alive: the bound is -inf
            if length >= first_limit:
                at_limit = max_lengths == length
                cut_off = cut_off.where(at_limit, live, of_parents(covered, parents))
                done = done | at_limit
            if waits or any_true(done):
                # Whether or not a sentence that is done leaves the batch at once, nothing more happens to it.
                live = live.masked_fill(done[:, None], -torch.inf)
                kept = sentences_to_keep(done.view(-1, groups).all(dim=1), step=length)
        if kept is not None:
            if kept.numel() == 0:
                break
            all_endings = all_endings.replace(active, cut_off.fill(endings, scoring, max_lengths))
            state = state.keep(kept)
            kept, before = (kept[:, None] * groups + torch.arange(groups, device=device)).flatten(), active.shape[0]
            endings, cut_off = endings.select(kept), cut_off.select(kept)
            coverage, so_far = coverage.keep(kept, of=before), so_far.keep(kept, of=before)
            active, live, max_lengths = active[kept], live[kept], max_lengths[kept]
            parents, tokens = parents[kept], tokens[kept]
            met = None if met is None else met[kept]
        if kept is not None or width != last_width:
            first_rows, last_width = torch.arange(0, active.shape[0] * width, width, device=device)[:, None], width
        rows = (first_rows + parents).flatten()
        state = state.reorder(rows)
        tokens = tokens.flatten()
        coverage, so_far = coverage.reorder(rows), so_far.reorder(rows).append(tokens)
    return history.hypotheses(all_endings.replace(active, cut_off.fill(endings, scoring, max_lengths)))


def _repeated(sentences: int, times: int, device: torch.device) -> Tensor:
    """Every sentence so many times, one after the other: [sentences * times]."""
    return torch.arange(sentences, device=device).repeat_interleave(times)


def _distinct(hypotheses: Sequence[Hypothesis], count: int) -> list[Hypothesis]:
    """The `count` best that differ, finished ones first; of equal ones, which groups may find alike, the first."""
    ranked = sorted(hypotheses, key=lambda best: (not best.finished, -best.score))
    return list({(tuple(best.ids), best.finished): best for best in reversed(ranked)}.values())[::-1][:count]
