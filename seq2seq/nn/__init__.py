"""Recurrent building blocks that know nothing of translation: cells, layers over time, attention."""
