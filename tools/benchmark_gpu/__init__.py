"""Training on a GPU: what the kernels of recurrent layers reach, whole updates of GNMT, and CUDA graphs."""
