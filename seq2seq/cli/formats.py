"""How translations are written: plain lines, Moses n-best lists, Pharaoh alignments, JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seq2seq.translation import Translation

#: Gives the lines to write for the translations, best first, of the line `number`, counted from 0.
Format = Callable[[int, "Sequence[Translation]"], list[str]]

_SEPARATOR = " ||| "


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

    def lines(number: int, translations: Sequence[Translation]) -> list[str]:
        record = _record(translations[0], soft=soft_alignment)
        if n_best:
            record["n_best"] = [_record(each, soft=soft_alignment) for each in translations]
        return [json.dumps(record, ensure_ascii=False)]

    return lines


def pharaoh(translation: Translation) -> str:
    """The alignment as `0-0 1-2`: source word, target word."""
    return " ".join(f"{source}-{target}" for source, target in translation.alignment)


def _record(translation: Translation, *, soft: bool) -> dict[str, Any]:
    record: dict[str, Any] = {
        "translation": translation.text,
        "score": round(translation.score, 6),
        "log_prob": round(translation.log_prob, 6),
        "tokens": list(translation.pieces),
        "token_log_probs": [round(value, 6) for value in translation.piece_log_probs],
        "word_confidences": [round(value, 6) for value in translation.word_confidences],
        "alignment": [list(pair) for pair in translation.alignment],
        "finished": translation.finished,
    }
    if soft:
        record["soft_alignment"] = [[round(weight, 4) for weight in row] for row in translation.soft_alignment]
    return record
