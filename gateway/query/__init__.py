"""Intents, plans and what leads from one to the other; pure from end to end."""
