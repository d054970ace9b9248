"""Strings: corpora, tokenizers and the splitting of long lines. Nothing here imports torch."""
