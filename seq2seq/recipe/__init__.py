"""Recipes: the one file that describes a translation system, typed and checked. Imports no torch."""

from seq2seq.recipe.corpus import Corpus, TextSource
from seq2seq.recipe.difference import Difference, differences
from seq2seq.recipe.dumping import dump_recipe
from seq2seq.recipe.loading import load_recipe, recipe_from_text
from seq2seq.recipe.model import (
    Attention,
    AttentionName,
    BridgeName,
    CellName,
    ContextName,
    Decoder,
    Encoder,
    Model,
    TyingName,
)
from seq2seq.recipe.schema import (
    BleuTokenizeName,
    Evaluation,
    EvaluationMetricName,
    LongInputName,
    Recipe,
    Run,
    Search,
)
from seq2seq.recipe.section import Section
from seq2seq.recipe.tokenizer import AlgorithmName, NormalizationName, Sampling, SideName, TokenizerSection
from seq2seq.recipe.training import (
    Clipping,
    ClippingName,
    MetricName,
    Optimizer,
    OptimizerName,
    PrecisionName,
    Schedule,
    ScheduleName,
    Training,
    Validation,
)

__all__ = [
    "AlgorithmName",
    "Attention",
    "AttentionName",
    "BleuTokenizeName",
    "BridgeName",
    "CellName",
    "Clipping",
    "ClippingName",
    "ContextName",
    "Corpus",
    "Decoder",
    "Difference",
    "Encoder",
    "Evaluation",
    "EvaluationMetricName",
    "LongInputName",
    "MetricName",
    "Model",
    "NormalizationName",
    "Optimizer",
    "OptimizerName",
    "PrecisionName",
    "Recipe",
    "Run",
    "Sampling",
    "Schedule",
    "ScheduleName",
    "Search",
    "Section",
    "SideName",
    "TextSource",
    "TokenizerSection",
    "Training",
    "TyingName",
    "Validation",
    "differences",
    "dump_recipe",
    "load_recipe",
    "recipe_from_text",
]
