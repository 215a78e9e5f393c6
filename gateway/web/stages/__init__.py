"""The stages every request passes, one per module, in the order of the pipeline."""
