"""The words of the phrasebook with their grammar: gender, number, classes of meaning, irregular forms."""
