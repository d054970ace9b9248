"""Recipes: the one file that describes a translation system, typed and checked. Imports no torch."""

from seq2seq.recipe.attention import Attention, AttentionName, ContextName, ScoreName
from seq2seq.recipe.corpus import Corpus, TextSource
from seq2seq.recipe.difference import Difference, differences
from seq2seq.recipe.dumping import dump_recipe
from seq2seq.recipe.loading import load_recipe, recipe_from_text
from seq2seq.recipe.model import (
    BridgeName,
    GeneratorName,
    Initialization,
    InitializationName,
    Model,
    TyingName,
    context_width,
    readout_width,
)
from seq2seq.recipe.recurrence import (
    CellName,
    ConnectionName,
    Decoder,
    DirectionsName,
    Encoder,
    ReadoutName,
    RecurrentDropoutName,
    layer_width,
    memory_width,
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
from seq2seq.recipe.upgrade import load_stored_recipe

__all__ = [
    "AlgorithmName",
    "Attention",
    "AttentionName",
    "BleuTokenizeName",
    "BridgeName",
    "CellName",
    "Clipping",
    "ClippingName",
    "ConnectionName",
    "ContextName",
    "Corpus",
    "Decoder",
    "Difference",
    "DirectionsName",
    "Encoder",
    "Evaluation",
    "EvaluationMetricName",
    "GeneratorName",
    "Initialization",
    "InitializationName",
    "LongInputName",
    "MetricName",
    "Model",
    "NormalizationName",
    "Optimizer",
    "OptimizerName",
    "PrecisionName",
    "ReadoutName",
    "Recipe",
    "RecurrentDropoutName",
    "Run",
    "Sampling",
    "Schedule",
    "ScheduleName",
    "ScoreName",
    "Search",
    "Section",
    "SideName",
    "TextSource",
    "TokenizerSection",
    "Training",
    "TyingName",
    "Validation",
    "context_width",
    "differences",
    "dump_recipe",
    "layer_width",
    "load_recipe",
    "load_stored_recipe",
    "memory_width",
    "readout_width",
    "recipe_from_text",
]
