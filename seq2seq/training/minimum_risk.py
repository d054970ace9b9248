"""Minimum-risk training: the expected loss of translation quality over hypotheses that the network draws itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from torch import Tensor

from seq2seq.data.batch import Batch, make_batch
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recipe import RiskMetricName
from seq2seq.search import Draws, Request, Rules, Truncation, excluding, sample
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.loss import token_log_probs, weighted_likelihood
from seq2seq.training.precision import Precision


@dataclass(frozen=True)
class Candidates:
    """Hypotheses of the sentences of a batch, as a batch of their own, and what each of them is worth.

    `batch` has one row per hypothesis, those of a sentence together; `owners` [hypotheses] are the rows of their
    sentences; `rewards` [hypotheses] lie between 0 and 1.
    """

    batch: Batch
    owners: Tensor
    rewards: Tensor


class MinimumRisk:
    """The risk of Shen et al. 2016 (equation 10): minus the expected reward over a few hypotheses of every sentence.

    The hypotheses y are drawn from the network without dropout; equal ones count once, and the reference is one of
    them. Their probabilities are p(y)^sharpness, normalised over them (equation 11).
    """

    def __init__(
        self,
        *,
        weight: float,
        samples: int,
        sharpness: float,
        temperature: float,
        metric: RiskMetricName,
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
    ) -> None:
        """`weight` is the risk's share of the loss that is descended; the rest is the cross-entropy."""
        self.weight = weight
        self.samples = samples
        self.sharpness = sharpness
        self.temperature = temperature
        self._metric = CHRF() if metric == "chrf" else BLEU(effective_order=True)
        self._source_tokenizer = source_tokenizer
        self._tokenizer = target_tokenizer

    def __call__(self, model: EncoderDecoder, batch: Batch, *, precision: Precision) -> Tensor:
        """A loss that has the gradient of the risk, summed over the sentences of `batch`, which is on the device."""
        candidates = self.draw(model, batch, precision=precision)
        with precision.autocast():
            prediction = model(candidates.batch.source, candidates.batch.source_lengths, candidates.batch.target_in)
        return self.loss(prediction.logits, candidates)[0]

    @torch.no_grad()
    def draw(self, model: EncoderDecoder, batch: Batch, *, precision: Precision) -> Candidates:
        """Hypotheses of every sentence of `batch`, which is on the device, and their rewards.

        Hypotheses have at most twice the pieces of their reference, and ten more. Draws from torch's generator.
        """
        training = model.training
        model.eval()
        with precision.autocast():
            state = model.start(batch.source, batch.source_lengths)
            drawn = sample(
                model,
                state,
                self._request(2 * batch.target_lengths + 10),
                draws=Draws(seed=int(torch.randint(2**62, ())), keys=torch.arange(batch.size, device=precision.device)),
                truncation=Truncation(temperature=self.temperature),
            )
        model.train(training)
        references = _sentences(batch.target_out, batch.target_lengths)
        sources = _sentences(batch.source, batch.source_lengths)
        candidates, owners = [], []
        for owner, (reference, hypotheses) in enumerate(zip(references, drawn, strict=True)):
            # One that was cut off has no end, so what the network gives to its end is not its probability.
            unique = dict.fromkeys([tuple(reference), *(tuple(each.ids) for each in hypotheses if each.finished)])
            candidates += [list(ids) for ids in unique]
            owners += [owner] * len(unique)
        return Candidates(
            batch=self._batch([sources[owner] for owner in owners], candidates).to(precision.device),
            owners=torch.tensor(owners, device=precision.device),
            rewards=self._rewards(candidates, [references[owner] for owner in owners]).to(precision.device),
        )

    def loss(self, logits: Tensor, candidates: Candidates) -> tuple[Tensor, Tensor]:
        """A loss that has the gradient of the risk, and the risk; both summed over the sentences, float32 scalars.

        Args:
            logits: [hypotheses, tgt_len, vocab] of `candidates.batch`.
            candidates: from :meth:`draw`.
        """
        batch, owners = candidates.batch, candidates.owners
        rewards = candidates.rewards
        log_probs = token_log_probs(logits, batch.target_out)
        totals = self.sharpness * (log_probs * batch.target_mask).sum(dim=1)
        shares, expected = expectation(totals, owners, rewards)
        # The risk's derivative by the log-probability of a hypothesis; given it, hypotheses are so many weighted texts.
        weights = self.sharpness * shares * (rewards - expected[owners])
        return weighted_likelihood(logits, batch.target_out, batch.target_mask * weights.unsqueeze(1)), -expected.sum()

    def _request(self, max_lengths: Tensor) -> Request:
        tokenizer = self._tokenizer
        never = (tokenizer.pad_id, tokenizer.unk_id)
        rules = Rules(
            forbidden=excluding(never, bos_id=tokenizer.bos_id, eos_id=tokenizer.eos_id, device=max_lengths.device)
        )
        return Request(
            max_lengths=max_lengths, bos_id=tokenizer.bos_id, eos_id=tokenizer.eos_id, rules=rules, beam=self.samples
        )

    def _batch(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Batch:
        return make_batch(
            sources,
            targets,
            source_eos_id=self._source_tokenizer.eos_id,
            source_pad_id=self._source_tokenizer.pad_id,
            bos_id=self._tokenizer.bos_id,
            eos_id=self._tokenizer.eos_id,
            pad_id=self._tokenizer.pad_id,
        )

    def _rewards(self, candidates: Sequence[list[int]], references: Sequence[list[int]]) -> Tensor:
        """Sentence scores between 0 and 1 of the text of each candidate."""
        texts = self._tokenizer.decode(candidates)
        against = self._tokenizer.decode(references)
        scores = (
            self._metric.sentence_score(text, [reference]).score for text, reference in zip(texts, against, strict=True)
        )
        return torch.tensor([score / 100.0 for score in scores])


def expectation(totals: Tensor, owners: Tensor, rewards: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of the hypotheses in their sentence, the softmax of `totals` over it, and the sentences' mean rewards.

    Args:
        totals: [hypotheses], unnormalised log-probabilities.
        owners: [hypotheses], the sentence of each, ascending from 0 without gaps.
        rewards: [hypotheses].

    Returns:
        Shares [hypotheses] and means [sentences].
    """
    sentences = int(owners[-1]) + 1
    highest = totals.new_full((sentences,), -torch.inf).scatter_reduce(0, owners, totals, "amax")
    weights = (totals - highest[owners]).exp()
    shares = weights / weights.new_zeros(sentences).index_add(0, owners, weights)[owners]
    return shares, weights.new_zeros(sentences).index_add(0, owners, shares * rewards)


def _sentences(ids: Tensor, lengths: Tensor) -> list[list[int]]:
    """The ids of every row before its end of sentence, which `lengths` [batch] count."""
    return [row[: length - 1] for row, length in zip(ids.tolist(), lengths.tolist(), strict=True)]
