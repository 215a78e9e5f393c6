"""The stages every request passes and the two recorders around them, one class per module, in no order of their own."""
