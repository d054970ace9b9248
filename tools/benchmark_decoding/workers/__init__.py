"""One program per toolkit, run by the Python of that toolkit's environment; they import nothing of the others."""
