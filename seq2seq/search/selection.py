"""Choosing the best continuations of every sentence, with ties decided by their place alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seq2seq.search.waiting import looking_waits

#: Columns whose maxima are taken at once, a multiple of every vector width.
_LANES = 256

#: Up to so many entries are looked through as they are.
_FEW = 1 << 16

#: Below every key.
_NO_KEY = -(2**63)

#: The bits of a key that say where.
_LOW_HALF = 2**32 - 1


@dataclass(frozen=True)
class Continuations:
    """The best ways to append one token to the live hypotheses of a sentence, best first; all [active, count]."""

    log_probs: Tensor
    """Log-probability of the whole hypothesis; -inf where there are no more continuations."""
    token_log_probs: Tensor
    """Log-probability of the token alone."""
    parents: Tensor
    """Row, within the sentence, of the hypothesis that is continued."""
    tokens: Tensor
    """The token appended."""

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The fields in order."""
        return self.log_probs, self.token_log_probs, self.parents, self.tokens

    def gather(self, places: Tensor) -> Continuations:
        """Those at `places` [active, chosen] of every sentence."""
        return Continuations(*(tensor.gather(1, places) for tensor in self.tensors()))

    def first(self, count: int) -> Continuations:
        """The first `count` of every sentence."""
        return Continuations(*(tensor[:, :count] for tensor in self.tensors()))

    def without(self, places: Tensor) -> Continuations:
        """The same, but nothing where `places`, bool [active, count], is true."""
        return replace(self, log_probs=self.log_probs.masked_fill(places, -torch.inf))

    def with_log_probs(self, log_probs: Tensor, live: Tensor) -> Continuations:
        """The same choice, its log-probabilities from other ones: [active, width, vocab] and, so far, [active, width].

        What is nothing stays nothing.
        """
        places = self.parents * log_probs.shape[2] + self.tokens
        token_log_probs = log_probs.flatten(1).gather(1, places)
        sums = (live.gather(1, self.parents) + token_log_probs).masked_fill(self.log_probs == -torch.inf, -torch.inf)
        return replace(self, log_probs=sums, token_log_probs=token_log_probs)

    @staticmethod
    def interleaved(parts: Sequence[Continuations]) -> Continuations:
        """Those of several groups, each [active, count], as [active * groups, count], a sentence's groups together."""
        columns = zip(*(part.tensors() for part in parts), strict=True)
        return Continuations(*(torch.stack(column, dim=1).flatten(0, 1) for column in columns))


def best_continuations(log_probs: Tensor, live: Tensor, count: int) -> Continuations:
    """Return the ``count`` continuations of every sentence with the highest log-probability.

    ``log_probs``: float32 [active * width, vocab], of the next token; ``live``: float32 [active, width], of the
    hypotheses so far, -inf where there is none, whatever the model says there. Of equal continuations the one with
    the lowest parent comes first, then that with the lowest token. NaN counts as best, so that it surfaces.

    ``torch.topk`` leaves open which of several equal entries it takes, and logits rounded to bf16 are often equal. So
    what is sorted in the end are keys that never tie. On the CPU they are made where some of the best are equal;
    elsewhere always, because looking at values would make the host wait.
    """
    log_probs = log_probs.contiguous()
    vocab = log_probs.shape[1]
    if not looking_waits(live.device):
        different = _by_value(log_probs, live, count)
        if different is not None:
            return different
    waits = looking_waits(live.device)
    keys = (_keys_of_best_lanes if waits else _promising_keys)(log_probs, live, count)
    best = torch.topk(keys, min(count, keys.shape[1])).values
    best = torch.nn.functional.pad(best, (0, count - best.shape[1]), value=_NO_KEY)  # [active, count]
    places = (~best & _LOW_HALF).masked_fill(best == _NO_KEY, 0)
    parents, tokens = places // vocab, places % vocab
    token_log_probs = log_probs.view(live.shape[0], -1).gather(1, places)
    so_far = live.gather(1, parents)
    nothing = (best == _NO_KEY) | (so_far == -torch.inf)
    return Continuations(
        log_probs=(so_far + token_log_probs).masked_fill_(nothing, -torch.inf),
        token_log_probs=token_log_probs,
        parents=parents,
        tokens=tokens,
    )


def _by_value(log_probs: Tensor, live: Tensor, count: int) -> Continuations | None:
    """The best continuations by value alone; None where some are equal, or too few, or not numbers."""
    vocab = log_probs.shape[1]
    if live.shape[1] * vocab <= count:
        return None
    all_places: Tensor | None = None
    if log_probs.numel() <= _FEW:
        sums = (log_probs.view(*live.shape, vocab) + live[..., None]).flatten(1)
    else:
        sums, all_places = _in_best_lanes(log_probs, live, count + 1)
    if sums.shape[1] <= count:
        return None
    values, places = sums.topk(count + 1)
    ordered = values.numpy()
    if not (ordered[:, :-1] > ordered[:, 1:]).all():
        return None
    places = places[:, :count]
    if all_places is not None:
        places = all_places.gather(1, places)
    parents = places // vocab
    return Continuations(
        log_probs=values[:, :count],
        token_log_probs=log_probs.view(live.shape[0], -1).gather(1, places),
        parents=parents,
        tokens=places - parents * vocab,
    )


def _in_best_lanes(log_probs: Tensor, live: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` best continuations and some more: their log-probabilities and places, [active, some] each.

    Column c of the vocabulary belongs to lane c % 256. The maxima of the ``count`` best lanes of a sentence are as many
    continuations, and what lies in another lane is no better than the least of them. Maxima of lanes cost a fraction of
    what topk over the vocabulary, or even argmax, costs.
    """
    maxima, lanes, depth = _lane_maxima(log_probs, live)
    best = (maxima + live[..., None]).flatten(1)
    best = best.topk(min(count, best.shape[1]), sorted=False).indices  # [active, chosen lanes]
    parents = best // lanes
    tokens = (best - parents * lanes)[..., None] + torch.arange(
        0, depth * lanes, lanes
    )  # [active, chosen lanes, depth]
    vocab = log_probs.shape[1]
    missing = tokens >= vocab
    places = (parents[..., None] * vocab + tokens.masked_fill_(missing, 0)).flatten(1)
    sums = log_probs.view(live.shape[0], -1).gather(1, places).view(tokens.shape) + live.gather(1, parents)[..., None]
    return sums.masked_fill_(missing, -torch.inf).flatten(1), places


def _lane_maxima(log_probs: Tensor, live: Tensor) -> tuple[Tensor, int, int]:
    """The maxima of every hypothesis's lanes, [active, width, lanes]; how many lanes; entries of the largest."""
    active, width = live.shape
    vocab = log_probs.shape[1]
    lanes = _LANES if vocab >= 8 * _LANES else vocab
    depth, rest = divmod(vocab, lanes)
    by_row = log_probs.view(active, width, vocab)
    maxima = by_row[:, :, : vocab - rest].view(active, width, depth, lanes).amax(dim=2)
    if rest:
        maxima[:, :, :rest] = torch.maximum(maxima[:, :, :rest], by_row[:, :, vocab - rest :])
        depth += 1
    return maxima, lanes, depth


def _keys_of_best_lanes(log_probs: Tensor, live: Tensor, count: int) -> Tensor:
    """Keys of the ``count`` best continuations and some more, [active, some], without a look at any value.

    Every lane has a best continuation, and these have keys that never tie. What is among the ``count`` best of a
    sentence lies in one of the ``count`` lanes with the best such keys: were there as many lanes above its own, their
    best ones would all come before it. (A lane's best is that by its log-probability alone: should adding what came
    before make others of the lane equal to it, they are missed where as many lanes are equal, too.)
    """
    active, width = live.shape
    vocab = log_probs.shape[1]
    lanes = _LANES if vocab >= 8 * _LANES else vocab
    depth, rest = divmod(vocab, lanes)
    by_row = log_probs.view(active, width, vocab)
    # Of equal ones torch.max takes the first.
    maxima, levels = by_row[:, :, : vocab - rest].view(active, width, depth, lanes).max(dim=2)
    if rest:
        last, first = by_row[:, :, vocab - rest :], maxima[:, :, :rest]
        better = (last > first) | (last.isnan() & ~first.isnan())
        maxima[:, :, :rest] = torch.where(better, last, first)
        levels[:, :, :rest].masked_fill_(better, depth)
        depth += 1
    starts = torch.arange(0, width * vocab, vocab, device=live.device)[:, None]  # of every row, [width, 1]
    places = starts + levels * lanes + torch.arange(lanes, device=live.device)  # [active, width, lanes]
    best = torch.topk(_keys(_comparable(maxima, live), places).flatten(1), min(count, width * lanes)).values
    best = ~best & _LOW_HALF  # places, [active, chosen lanes]
    parents = best // vocab
    tokens = (best % vocab % lanes)[..., None] + torch.arange(0, depth * lanes, lanes, device=live.device)
    missing = tokens >= vocab  # [active, chosen lanes, depth]
    places = parents[..., None] * vocab + tokens.masked_fill(missing, 0)
    found = by_row.flatten(1).gather(1, places.flatten(1)).view_as(places)
    keys = _keys(_comparable(found, live.gather(1, parents)), places)
    return keys.masked_fill(missing, _NO_KEY).flatten(1)


def _promising_keys(log_probs: Tensor, live: Tensor, count: int) -> Tensor:
    """Keys of the ``count`` best continuations, all those equal to the last of them, and some more, [active, >= count].

    Of the maxima of all lanes of a sentence, let m be number ``count``, from above: so many continuations reach m, so
    the best ones all do, and they lie in lanes whose maxima do.
    """
    active, width = live.shape
    vocab = log_probs.shape[1]
    maxima, lanes, depth = _lane_maxima(log_probs, live)
    maxima = _comparable(maxima, live).flatten(1)  # [active, width * lanes]
    enough = maxima.topk(min(count, maxima.shape[1]), sorted=False).values.amin(dim=1)  # [active]
    sentences, places = _at_least(maxima, enough).unbind(1)  # [chosen lanes]
    parents = places // lanes
    tokens = (places % lanes)[:, None] + torch.arange(0, depth * lanes, lanes)  # [chosen lanes, depth]
    places = parents[:, None] * vocab + tokens
    real = tokens < vocab
    flat = (sentences * width * vocab)[:, None] + torch.where(real, places, 0)
    sums = _comparable(log_probs.view(-1)[flat], live[sentences, parents])
    sums = sums.masked_fill_(~real, -torch.inf)
    lane, level = _at_least(sums, enough[sentences]).unbind(1)  # [entries], still ordered by sentence
    sentences = sentences[lane]
    # Side by side, as many columns as the sentence with most entries needs.
    entries = torch.bincount(sentences, minlength=active)
    columns = torch.arange(sentences.shape[0]) - (entries.cumsum(0) - entries)[sentences]
    keys = places.new_full((active, max(count, int(entries.max()))), _NO_KEY)
    keys[sentences, columns] = _keys(sums[lane, level], places[lane, level])
    return keys


def _comparable(log_probs: Tensor, live: Tensor) -> Tensor:
    """Add the log-probability so far to those of tokens, [..., entries] and [...]; NaN becomes inf, to come first."""
    sums = (log_probs + live[..., None]).nan_to_num_(nan=torch.inf, posinf=torch.inf, neginf=-torch.inf)
    return sums.masked_fill_((live == -torch.inf)[..., None], -torch.inf)


def _at_least(sums: Tensor, enough: Tensor) -> Tensor:
    """Where ``sums`` [n, m] reach ``enough`` [n] and are possible at all: [entries, 2], ordered."""
    return ((sums >= enough[:, None]) & (sums > -torch.inf)).nonzero()


def _keys(sums: Tensor, places: Tensor) -> Tensor:
    """Integers in the order of ``sums`` and, where these are equal, in the reversed order of ``places``."""
    # Adding 0.0 turns -0.0, whose bits differ, into 0.0. The bits of a float, read as an integer, are in order above 0
    # and in reversed order below.
    bits = (sums + 0.0).view(torch.int32)
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return (ordered.to(torch.int64) << 32) | (~places & _LOW_HALF)
