"""Figures of the tools, drawn by matplotlib, which is an extra: `pip install 'seq2seq-toolkit[plots]'`."""
