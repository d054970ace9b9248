"""From recipe to objects: the only place that chooses a class by its name in a recipe."""

from seq2seq.build.network import build_model
from seq2seq.build.tokenizers import build_tokenizers, parallel_text

__all__ = ["build_model", "build_tokenizers", "parallel_text"]
