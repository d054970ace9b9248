"""The templates of the phrasebook by subject; each draws one sentence pair or none."""
