"""The translation model: encoder, bridge, decoder, and the state that decoding carries from step to step."""
