"""How translations are written: plain lines, Moses n-best lists, Pharaoh alignments, JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seq2seq.translation import Translation

#: Gives the lines to write for the translations, best first, of the line `number`, counted from 0.
Format = Callable[[int, "Sequence[Translation]"], list[str]]

_SEPARATOR = " ||| "
#: What JSON says of a translation beside its text.
_DETAILS = ("score", "log_prob", "tokens", "alignment", "finished")


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


def json_format(*, n_best: bool) -> Format:
    """A JSON object per line of input, of its best translation; with `n_best` the list of all of them in it."""
    details = Details(_DETAILS, n_best=n_best)

    def lines(number: int, translations: Sequence[Translation]) -> list[str]:
        record = {"translation": translations[0].text, **details.fields(translations)}
        return [json.dumps(record, ensure_ascii=False)]

    return lines


def pharaoh(translation: Translation) -> str:
    """The alignment as `0-0 1-2`: source word, target word."""
    return " ".join(f"{source}-{target}" for source, target in translation.alignment)


@dataclass(frozen=True)
class Details:
    """What JSON says of a line beside its translation: fields by their names, and perhaps the n best, scored."""

    chosen: tuple[str, ...] = ()
    n_best: bool = False

    @classmethod
    def of(cls, *, scores: bool, alignment: bool, everything: bool, n_best: bool) -> Details:
        """Those that are asked for by themselves, or everything."""
        wanted = {"score": scores, "alignment": alignment}
        return cls(tuple(name for name in _DETAILS if everything or wanted.get(name)), n_best=n_best)

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
        "alignment": [list(pair) for pair in translation.alignment],
        "finished": translation.finished,
    }
    return {name: record[name] for name in names}
