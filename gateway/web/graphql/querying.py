"""A prepared query -> its reply and its records: the fields that were read, those about the schema, what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from gateway.graphql.meaning import Connection, Groups, Numbers, Row, Rows
from gateway.graphql.render import Rendered
from gateway.graphql.selection import Selected
from gateway.graphql.steps import RowStep
from gateway.query.keys import key_text
from gateway.web.exchange import Written
from gateway.web.graphql.introspecting import Told
from gateway.web.graphql.preparing import Known, PreparedQuery, Read, Refused
from gateway.web.graphql.replying import Draft
from gateway.web.graphql.running import Bounds, Telling, run_reads
from gateway.web.service import Service


@dataclass(frozen=True, slots=True)
class Queried:
    """The reply of a query, how many rows it shows, and its records."""

    draft: Draft
    rows: int
    records: Sequence[Written]


_NOTHING: Told = {}


async def query(
    service: Service,
    prepared: PreparedQuery,
    telling: Telling,
    bounds: Bounds,
    told: Told = _NOTHING,
    *,
    is_last_try: bool,
) -> Queried:
    """Return the reply of a query; ``told`` are the fields about the schema, if any.

    Raises:
        SchemaChangedError: a table changed under it, and this is not the last try.
    """
    reads = [field for field in prepared.fields if isinstance(field, Read)]
    ran = iter(await run_reads(service, reads, telling, bounds, is_last_try=is_last_try) if reads else ())
    draft, records, rows = Draft(), _Records(), 0
    if told:  # the fields of the reply stand in the order of the document
        draft.data = {key: orjson.Fragment(text) for key, text in told.items()}
    for field in prepared.fields:
        came = next(ran) if isinstance(field, Read) else field
        match came:
            case Rendered(value=value):
                assert isinstance(field, Read)
                draft.put(field.step.selected.key, value)
                draft.tell(came.truncated, came.warnings)
                rows += came.rows
                records.note(field.step.selected, _row(field), came.rows)
            case Known(selected=selected, value=value):
                draft.put(selected.key, value)
            case Refused(selected=selected, error=error):
                draft.fail(selected, error)
                records.note(selected, _row(field), 0, error.code)
    return Queried(draft, rows, records.all())


class _Records:
    """What was read of each table at the root, and of each row that was asked for by its key: one record for each."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[int, str]] = {}

    def note(self, selected: Selected, row: str, rows: int, code: str = "") -> None:
        """Add what was read by one field; of several codes the first counts."""
        meaning = selected.meaning
        assert isinstance(meaning, Rows | Row | Connection | Numbers | Groups)  # all else is known
        of = (meaning.table.resource or "", row)
        before, first = self._found.get(of, (0, ""))
        self._found[of] = (before + rows, first or code)

    def all(self) -> Sequence[Written]:
        """Return the records."""
        return [
            Written(resource, "read", row, rows, code=code) for (resource, row), (rows, code) in self._found.items()
        ]


def _row(field: Read | Refused | Known) -> str:
    """The key of the row that a field asks for, "" where it asks for several, or could not be read itself."""
    if isinstance(field, Read) and isinstance(field.step, RowStep):
        assert field.step.intent.key is not None
        return key_text(field.step.intent.key)
    return ""
