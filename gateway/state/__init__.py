"""The gateway's own store: tokens and the counter of catalog reloads, in an embedded SQLite file."""
