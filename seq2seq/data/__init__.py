"""Ids and tensors: the encoded corpus and its cache, batches, and the loaders of training and validation."""
