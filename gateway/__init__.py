"""A table-to-REST gateway in front of an existing Perfex CRM database."""

__version__ = "0.1.0.dev0"
