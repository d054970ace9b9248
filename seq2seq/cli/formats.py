"""How translations and scores are written: plain lines, Moses n-best lists, Pharaoh alignments, JSON lines."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seq2seq.scored import Scored, TextScore
    from seq2seq.translation import Translation

#: Gives the lines to write for the translations, best first, of the line `number`, counted from 0.
Format = Callable[[int, "Sequence[Translation]"], list[str]]

_SEPARATOR = " ||| "
#: What JSON says of a translation beside its text.
_DETAILS = ("score", "log_prob", "tokens", "token_log_probs", "word_confidences", "alignment", "finished")


def plain_format(*, scores: bool, alignment: bool) -> Format:
    """The best translation in one line: `text`, and what is asked for of ` ||| score` and ` ||| alignment` after it."""

    def lines(number: int, translations: Sequence[Translation]) -> list[str]:
        best = translations[0]
        fields = [best.text]
        if scores:
            fields.append(f"{best.score:.4f}")
        if alignment:
            fields.append(pharaoh(best))
        return [_SEPARATOR.join(fields)]

    return lines


def n_best_format(*, alignment: bool) -> Format:
    """Every translation, a line each, as Moses has it: `0 ||| text ||| logprob= -4.5 ||| -0.9`; then the alignment."""

    def lines(number: int, translations: Sequence[Translation]) -> list[str]:
        found = []
        for each in translations:
            fields = [str(number), each.text, f"logprob= {each.log_prob:.4f}", f"{each.score:.4f}"]
            found.append(_SEPARATOR.join([*fields, pharaoh(each)] if alignment else fields))
        return found

    return lines


def json_format(*, n_best: bool, soft_alignment: bool = False) -> Format:
    """A JSON object per line of input, of its best translation; with `n_best` the list of all of them in it."""
    details = Details.of(scores=True, alignment=True, everything=True, n_best=n_best, soft_alignment=soft_alignment)

    def lines(number: int, translations: Sequence[Translation]) -> list[str]:
        record = {"translation": translations[0].text, **details.fields(translations)}
        return [json.dumps(record, ensure_ascii=False)]

    return lines


def plain_score(scored: Scored, *, log_prob: bool, words: bool) -> str:
    """The score in one line, or the log-probability; with `words` ` ||| ` and a number for each word after it."""
    fields = [f"{scored.log_prob if log_prob else scored.score:.4f}"]
    if words:
        fields.append(" ".join(f"{value:.4f}" for value in scored.word_log_probs))
    return _SEPARATOR.join(fields)


def json_score(scored: Scored) -> str:
    """A JSON object in one line, of all that is known of a pair."""
    return _json(
        {
            "score": scored.score,
            "log_prob": scored.log_prob,
            "perplexity": scored.perplexity,
            "tokens": list(scored.pieces),
            "token_log_probs": list(scored.piece_log_probs),
            "words": list(scored.words),
            "word_log_probs": list(scored.word_log_probs),
            "unknown_tokens": scored.unknown_pieces,
        }
    )


def plain_text_score(text: TextScore) -> str:
    """The sums of a text in one line."""
    line = (
        f"{_counted(text.pairs, 'pair')} of {_counted(text.pieces, 'piece')} and {_counted(text.words, 'word')}, ends "
        f"counted: log-probability {text.log_prob:.4f}, perplexity {text.perplexity_per_piece:.6g} per piece and "
        f"{text.perplexity_per_word:.6g} per word"
    )
    if text.unknown_pieces:
        line += f"; {_counted(text.unknown_pieces, 'unknown piece')}"
    if text.impossible:
        line += f"; {_counted(text.impossible, 'pair')} of probability 0 left out"
    return line


def json_text_score(text: TextScore) -> str:
    """The sums of a text as a JSON object in one line."""
    return _json(
        {
            "pairs": text.pairs,
            "impossible": text.impossible,
            "tokens": text.pieces,
            "words": text.words,
            "unknown_tokens": text.unknown_pieces,
            "log_prob": text.log_prob,
            "perplexity_per_token": text.perplexity_per_piece,
            "perplexity_per_word": text.perplexity_per_word,
        }
    )


def pharaoh(translation: Translation) -> str:
    """The alignment as `0-0 1-2`: source word, target word."""
    return " ".join(f"{source}-{target}" for source, target in translation.alignment)


@dataclass(frozen=True)
class Details:
    """What JSON says of a line beside its translation: fields by their names, and perhaps the n best, scored."""

    chosen: tuple[str, ...] = ()
    n_best: bool = False

    @classmethod
    def of(
        cls, *, scores: bool, alignment: bool, everything: bool, n_best: bool, soft_alignment: bool = False
    ) -> Details:
        """Those that are asked for by themselves, or everything; the soft alignment is part of neither."""
        wanted = {"score": scores, "alignment": alignment}
        chosen = [name for name in _DETAILS if everything or wanted.get(name)]
        return cls((*chosen, "soft_alignment") if soft_alignment else tuple(chosen), n_best=n_best)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fields."""
        return (*self.chosen, "n_best") if self.n_best else self.chosen

    def fields(self, translations: Sequence[Translation]) -> dict[str, Any]:
        """The fields of the best translation, and as `n_best` the list of all of them."""
        found = _details(translations[0], self.chosen)
        if self.n_best:
            names = self.chosen if "score" in self.chosen else ("score", *self.chosen)
            found["n_best"] = [{"translation": each.text, **_details(each, names)} for each in translations]
        return found


def _details(translation: Translation, names: Sequence[str]) -> dict[str, Any]:
    record = {
        "score": round(translation.score, 6),
        "log_prob": round(translation.log_prob, 6),
        "tokens": list(translation.pieces),
        "token_log_probs": [round(value, 6) for value in translation.piece_log_probs],
        "word_confidences": [round(value, 6) for value in translation.word_confidences],
        "alignment": [list(pair) for pair in translation.alignment],
        "finished": translation.finished,
        "soft_alignment": [[round(weight, 4) for weight in row] for row in translation.soft_alignment],
    }
    return {name: record[name] for name in names}


def _json(record: dict[str, Any]) -> str:
    """One line of JSON, which has no infinite numbers: null stands for one."""
    return json.dumps({name: _finite(value) for name, value in record.items()}, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
