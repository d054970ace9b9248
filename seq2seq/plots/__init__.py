"""Figures, drawn by matplotlib on its Agg canvas, which is imported only when one is drawn."""
