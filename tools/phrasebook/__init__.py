"""A seeded grammar that writes the English-French travel phrasebook shipped in ``data/phrasebook``.

Run ``python -m tools.phrasebook`` from the repository root to write the same files again, byte for byte.
"""
