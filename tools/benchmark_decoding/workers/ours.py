"""The toolkit here: settings are keywords of `Translator.load` or of `Translator.translate`."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import sentencepiece
import torch

import seq2seq
from seq2seq.benchmark.material import Text
from seq2seq.benchmark.measuring import translate
from seq2seq.translation_options import with_keywords
from seq2seq.translator import Translator
from tools.benchmark_decoding.workers.protocol import Translated, serve


class Ours:
    """A translator; see the module."""

    def __init__(self, settings: dict[str, Any]) -> None:
        torch.set_num_threads(settings["threads"])
        known = inspect.signature(Translator.load).parameters
        loading = {key: value for key, value in settings["keywords"].items() if key in known}
        self._options = {key: value for key, value in settings["keywords"].items() if key not in known}
        self._translator = Translator.load(settings["model"], **{"device": "cpu", **loading})
        self.versions = {
            "seq2seq": seq2seq.__version__,
            "torch": torch.__version__,
            "sentencepiece": sentencepiece.__version__,
        }
        self.detail = "sentences sorted by length"

    def translate(self, lines: Sequence[str], *, beam: int, batch_size: int) -> Translated:
        """Translate lines."""
        tokenizer = self._translator.source_tokenizer
        material = Text("the input", lines, tokenizer=tokenizer)
        keywords: Any = {"alignment": False, **self._options, "beam": beam, "batch_size": batch_size}
        options = with_keywords(self._translator.options, keywords)
        translations, turn = translate(self._translator, material, range(len(lines)), options=options)
        return Translated(
            text=[translation.text for translation in translations],
            tokens=turn.target_tokens,
            seconds=turn.search,
            text_seconds=turn.encoding + turn.decoding,
        )


if __name__ == "__main__":
    serve(Ours)
