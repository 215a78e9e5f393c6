"""The choke point: planned reads and writes run here, whichever front end planned them."""
