"""The speed of training: whole updates in turns, the parts of an update, and the machine's peak of the same minutes."""
