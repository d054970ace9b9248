"""Training: one update, the loop around it, validation, checkpoints and the journal."""
