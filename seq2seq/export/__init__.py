"""Trained models in other forms: a bundle, one file of a model directory; graphs of ONNX for other runtimes."""
