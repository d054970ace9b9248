"""Figures that only the tools draw; those of the package are in `seq2seq/plots/`."""
