"""Several systems on one text: scores, significance and breakdowns, as tables and figures. Imports no torch."""

from seq2seq.comparison.systems import Breaking, Comparing, Comparison, compare_systems, one_system
from seq2seq.comparison.tables import breakdown_lines, comparison_lines, comparison_markdown

__all__ = [
    "Breaking",
    "Comparing",
    "Comparison",
    "breakdown_lines",
    "compare_systems",
    "comparison_lines",
    "comparison_markdown",
    "one_system",
]
