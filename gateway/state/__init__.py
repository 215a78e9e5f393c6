"""The gateway's own store: tokens, the counter of reloads and claims of writes, in an embedded SQLite file."""
