"""A prepared query -> its reply: the fields that were read, those about the schema, and what failed."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from gateway.graphql.render import Rendered
from gateway.web.graphql.introspecting import Told
from gateway.web.graphql.preparing import Known, PreparedQuery, Read, Refused
from gateway.web.graphql.replying import Draft
from gateway.web.graphql.running import Lanes, Telling, run_reads
from gateway.web.service import Service

_NOTHING: Mapping[str, bytes] = {}


async def query(
    service: Service,
    prepared: PreparedQuery,
    telling: Telling,
    lanes: Lanes,
    told: Told = _NOTHING,
    *,
    is_last_try: bool,
) -> tuple[Draft, int]:
    """Return the reply of a query, and how many rows it shows; ``told`` are the fields about the schema, if any.

    Raises:
        SchemaChangedError: a table changed under it, and this is not the last try.
    """
    reads = [field for field in prepared.fields if isinstance(field, Read)]
    ran = iter(await run_reads(service, reads, telling, lanes, is_last_try=is_last_try) if reads else ())
    draft, rows = Draft(), 0
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
            case Known(selected=selected, value=value):
                draft.put(selected.key, value)
            case Refused(selected=selected, error=error):
                draft.fail(selected, error)
    return draft, rows
