"""The REST front end without I/O: bytes -> intent, result -> body."""
