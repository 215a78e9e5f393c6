"""Which rule writes which table. A managed table without a rule here is not writable (its profile says so too)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.operations.managed.leads import LeadRule
from gateway.operations.managed.model import Rule

RULES: Final[Mapping[str, Rule]] = MappingProxyType({"leads": LeadRule()})
"""Rules by table, without the prefix."""
