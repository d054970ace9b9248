"""Errors that a user can cause and can mend: each says what is wrong, where, and what to do.

Every class here derives from :class:`Seq2SeqError`; the commands print its message as one line and leave with
:attr:`Seq2SeqError.exit_code`. Anything else that escapes is a defect of the toolkit and keeps its traceback.
"""

from __future__ import annotations


class Seq2SeqError(Exception):
    """Base of every error that the user of the toolkit can mend."""

    exit_code = 2


class UsageError(Seq2SeqError):
    """An argument or an option has a value that cannot be used."""


class RecipeError(Seq2SeqError):
    """A recipe is unreadable, has unknown keys or contradicts itself."""


class CorpusError(Seq2SeqError):
    """Text is missing, unreadable, not UTF-8, or its two sides do not belong together."""


class TokenizerError(Seq2SeqError):
    """A tokenizer cannot be trained or loaded, or is not the one the model was trained with."""


class ModelError(Seq2SeqError):
    """A model directory is missing, incomplete, damaged or of a newer format."""


class DeviceError(Seq2SeqError):
    """A device or a precision was asked for that this machine does not have."""


class TrainingError(Seq2SeqError):
    """A training run cannot start, continue or be saved."""


class DivergenceError(TrainingError):
    """A training run has lost its way so often that it is given up."""
