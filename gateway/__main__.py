"""``python -m gateway`` is ``gateway``."""

from gateway.cli import main

# Worker processes import this module anew; only the first one is the command.
if __name__ == "__main__":
    main()
