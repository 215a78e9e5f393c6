"""A generated Perfex CRM to try the gateway on: the 3.4.1 schema and plausible, consistent, made-up rows.

``build`` makes one in a MySQL/MariaDB database or in an SQLite file; ``python -m sample_crm --help`` does the same
from a shell. Nothing in it belongs to anyone: names come from word lists, addresses end in ``.example``, secrets
begin with ``fake``.
"""

from sample_crm.building import Summary, build, build_schema
from sample_crm.schema import schema_statements
from sample_crm.target import SampleError

__all__ = ["SampleError", "Summary", "build", "build_schema", "schema_statements"]
