"""Translation with exported models: numpy, onnxruntime and sentencepiece are all that it needs, torch is not.

``OnnxTranslator.load("en-fr-onnx").translate("Where is the station?")``
"""

from seq2seq.runtime.translator import OnnxTranslator

__all__ = ["OnnxTranslator"]
