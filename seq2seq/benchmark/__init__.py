"""How fast a translator is: throughput by settings that take turns, and latency sentence by sentence."""
