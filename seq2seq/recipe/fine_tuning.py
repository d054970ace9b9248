"""The `training.fine_tuning` section: the trained model that weights come from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seq2seq.recipe.section import CHANGEABLE, Section, Text

VocabularyName = Literal["keep", "carry"]


class FineTuning(Section):
    """Training that starts from a trained model. Everything else, such as the learning rate, is this recipe's own."""

    model: Text = Field(
        description="Model directory whose weights training starts from; or one file of weights that its run kept, such"
        " as `runs/en-fr/training/update-3000.safetensors`. It is read once: a run that is continued does not need it.",
        json_schema_extra=CHANGEABLE,
    )
    freeze: tuple[Text, ...] = Field(
        default=(),
        strict=False,
        description="Parameters that stay as they are: patterns of their names, where `*` stands for anything, such as"
        " `encoder.*`; a name stands for all that is below it.",
    )
    vocabulary: VocabularyName = Field(
        default="keep",
        description="keep: the tokenizers of that model, in place of this recipe's `tokenizer` section, of which only"
        " `sampling` counts; carry: the tokenizers of this recipe, where pieces that both have keep their rows of the"
        " embeddings and the output layer.",
    )
    partial: bool = Field(
        default=False,
        description="Take what fits by name and shape, and draw the rest; otherwise every parameter must fit.",
    )
