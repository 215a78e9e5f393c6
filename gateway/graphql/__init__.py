"""GraphQL: documents -> the intents that REST makes too, and results -> replies; sans-I/O."""
