"""The lexical shortlist: which target pieces a source sentence may need, learned from a parallel corpus."""

from seq2seq.shortlist.learning import learn_shortlist, lexical_probabilities
from seq2seq.shortlist.table import SHORTLIST, Shortlist

__all__ = ["SHORTLIST", "Shortlist", "learn_shortlist", "lexical_probabilities"]
