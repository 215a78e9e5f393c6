"""The whitelist that the idle worker is measured with."""

from __future__ import annotations

from benchmarks.idle import everything
from gateway.catalog.whitelist import parse_whitelist

TABLES = ("tblclients", "tblconsents", "tbloptions", "tblsessions", "tblnotes", "other")


def test_every_table_that_may_be_served_is() -> None:
    """Those that no whitelist can expose stay out, and so does what is not the CRM's."""
    exposure = parse_whitelist(everything(TABLES), "everything.yaml")

    assert sorted(table.name.text for table in exposure.tables) == ["clients", "consents", "notes"]
