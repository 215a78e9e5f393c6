"""Every failure the gateway can report, as data: one registry, one exception tree.

What comes in: a code of `REGISTRY` and a sentence for this occurrence. What goes
out: a `GatewayError` that any front end can render. Rendering is not done here.

    GatewayError
    ├── RequestError       400, 406, 408, 413-415, 431  the request cannot be understood
    ├── CredentialError    401                       nobody we know
    ├── ForbiddenError     403                       known, but not granted
    ├── NotFoundError      404                       no such resource, row or path
    ├── MethodError        405                       the resource does not do that
    ├── ThrottledError     429                       too often
    ├── ConflictError      409, 412                  the stored rows do not allow it
    │   └── UnrecordedError                          or may have changed before, nobody knows
    ├── ValidationError    422                       fields of the body are wrong
    ├── UnavailableError   503, 504                  try again later
    ├── ConfigurationError (start only)              settings or whitelist are wrong
    └── InternalError      500                       our mistake
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row of the registry: a stable code with its HTTP status and title.

    ``other_status`` is a second one that a few codes are answered with, 0 for none.
    """

    code: str
    status: int
    title: str
    summary: str
    other_status: int = 0

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status of the code, the usual one first."""
        return (self.status, self.other_status) if self.other_status else (self.status,)


_KINDS: Final = (
    # 400: syntax, or a name that this caller cannot see
    ErrorKind("parameter_unknown", 400, "Unknown parameter", "A query parameter that this path does not take."),
    ErrorKind("parameter_conflict", 400, "Conflicting parameters", "One parameter was sent with different values."),
    ErrorKind("parameter_invalid", 400, "Invalid parameter", "A parameter's value is not one it can have."),
    ErrorKind("parameter_missing", 400, "Parameter required", "A parameter that this request cannot do without."),
    ErrorKind("field_unknown", 400, "Unknown field", "A name that is no field of the resource, for this caller."),
    ErrorKind("operator_unknown", 400, "Unknown operator", "A filter operator that does not exist."),
    ErrorKind("operator_misfit", 400, "Operator does not fit", "The operator cannot be used on a field of this type."),
    ErrorKind("operand_invalid", 400, "Invalid operand", "The value cannot be read as the field's type."),
    ErrorKind("filter_syntax", 400, "Malformed filter", "A filter that does not follow the grammar."),
    ErrorKind("sort_syntax", 400, "Malformed sort", "A sort that does not follow the grammar."),
    ErrorKind("fields_syntax", 400, "Malformed field list", "A field list that does not follow the grammar."),
    ErrorKind("include_syntax", 400, "Malformed include", "An include that does not follow the grammar."),
    ErrorKind("group_syntax", 400, "Malformed group", "A list of groups or metrics that does not follow the grammar."),
    ErrorKind("cursor_invalid", 400, "Invalid cursor", "A cursor that is none, or that belongs to another query."),
    ErrorKind("include_unknown", 400, "Unknown relationship", "The query includes a relationship that there is not."),
    ErrorKind("path_to_many", 400, "Path to many rows", "A name leads to many rows where one value is due."),
    ErrorKind("quantifier_misfit", 400, "Quantifier does not fit", "Only of many rows `none` and `every` can be said."),
    ErrorKind("group_invalid", 400, "Invalid group", "A word of `group` cannot be grouped by."),
    ErrorKind("metric_invalid", 400, "Invalid metric", "A word of `metrics` or `having` is no metric of the rows."),
    ErrorKind("query_too_large", 400, "Query too large", "The query has more parts, or is deeper, than one may be."),
    ErrorKind("rows_too_many", 400, "Too many rows", "The rows that come along exceed what one answer may hold."),
    ErrorKind("page_invalid", 400, "Invalid page", "A page, size or offset outside its range."),
    ErrorKind(
        "export_too_large", 400, "Export too large", "The format cannot hold so many rows; the detail says which can."
    ),
    ErrorKind("key_invalid", 400, "Invalid key", "The key cannot be read as one of the resource."),
    ErrorKind("body_syntax", 400, "Malformed body", "The body is not well-formed JSON or form data."),
    ErrorKind("path_invalid", 400, "Malformed path", "The path is not well-formed."),
    ErrorKind("request_syntax", 400, "Malformed request", "What was sent is no well-formed HTTP request."),
    ErrorKind(
        "header_invalid",
        400,
        "Invalid header",
        "A header's value is not one it can have, or the header cannot be heeded; the detail names it.",
    ),
    ErrorKind("graphql_syntax", 400, "Malformed document", "The text is no GraphQL document."),
    ErrorKind(
        "graphql_invalid", 400, "Invalid document", "The document does not fit the schema, as this caller may see it."
    ),
    ErrorKind("variables_invalid", 400, "Invalid variables", "The variables do not fit the document."),
    ErrorKind(
        "operation_unknown",
        400,
        "Unknown operation",
        "The document has no operation of that name, or several and none was named.",
    ),
    ErrorKind(
        "persisted_query_unknown",
        400,
        "Unknown persisted query",
        "No document is stored under the hash: send it along.",
    ),
    ErrorKind(
        "persisted_queries_off", 400, "Persisted queries are off", "The settings take no hashes: send the document."
    ),
    ErrorKind(
        "query_too_expensive", 400, "Query too expensive", "The database would look at more rows than one query may."
    ),
    # 401, 403
    ErrorKind("token_missing", 401, "Token required", "The request carries no token."),
    ErrorKind("token_invalid", 401, "Invalid token", "The token is unknown, revoked or expired."),
    ErrorKind("signature_missing", 401, "Signature required", "The token asks for signed requests; this one is not."),
    ErrorKind("signature_invalid", 401, "Invalid signature", "The signature, or its time, does not fit the request."),
    ErrorKind("signature_replayed", 401, "Signature used before", "A signed request is answered once; sign it anew."),
    ErrorKind("grant_missing", 403, "Not granted", "The token lacks the grant named in the detail."),
    ErrorKind("address_forbidden", 403, "Address not allowed", "The token may not be used from this address."),
    ErrorKind("origin_forbidden", 403, "Origin not allowed", "Pages of this origin may not call."),
    ErrorKind("introspection_off", 403, "Introspection is off", "The settings do not let this token read the schema."),
    ErrorKind(
        "persisted_queries_only", 403, "Document not listed", "The settings answer only the documents of a list."
    ),
    # 404, 405
    ErrorKind("route_unknown", 404, "No such path", "Nothing is served at this path."),
    ErrorKind("resource_unknown", 404, "No such resource", "No resource of this name is exposed."),
    ErrorKind("relationship_unknown", 404, "No such relationship", "The resource has no relationship of this name."),
    ErrorKind("row_unknown", 404, "No such row", "No row with this key, or none this caller may see."),
    ErrorKind("method_not_allowed", 405, "Method not allowed", "The path does not take this method."),
    ErrorKind(
        "write_not_supported", 405, "Not writable", "The resource does not take this write; the detail says why."
    ),
    ErrorKind("key_missing", 405, "Resource has no key", "Rows of this resource cannot be addressed one by one."),
    # 406, 408, 413, 414, 415, 429, 431
    ErrorKind("not_acceptable", 406, "Not acceptable", "None of the accepted media types can be produced."),
    ErrorKind("body_timeout", 408, "Body too slow", "The body did not arrive within the time it may take."),
    ErrorKind("body_too_large", 413, "Body too large", "The body exceeds the limit."),
    ErrorKind("uri_too_long", 414, "URL too long", "The URL exceeds the limit."),
    ErrorKind(
        "media_type_unsupported",
        415,
        "Unsupported media type",
        "The body is neither JSON nor form data, not in UTF-8, or packed.",
    ),
    ErrorKind("rate_exceeded", 429, "Quota exceeded", "The token made all the requests that its rate allows."),
    ErrorKind("address_throttled", 429, "Too many requests", "The client's address sends too much; wait."),
    ErrorKind("headers_too_large", 431, "Headers too large", "The headers exceed the limit in number or size."),
    # 409, 422
    ErrorKind("duplicate", 409, "Duplicate", "A row with the same unique value exists."),
    ErrorKind("dependants", 409, "Row is in use", "Other rows depend on this one."),
    ErrorKind(
        "not_last", 409, "Not the last document", "By the CRM's settings only the newest document may be deleted."
    ),
    ErrorKind(
        "last_administrator", 409, "Last administrator", "The last working token with administration is not ended so."
    ),
    ErrorKind("reference_missing", 409, "Referenced row is missing", "A value refers to a row that does not exist."),
    ErrorKind("key_ambiguous", 409, "Key is not unique", "Several rows have this key, so none of them is changed."),
    ErrorKind("write_conflict", 409, "Write conflict", "Another write held the row; try again."),
    ErrorKind(
        "refused_by_database",
        409,
        "Refused by the database",
        "A rule of the database itself refused the write, or no key is left for a row.",
    ),
    ErrorKind("idempotency_running", 409, "Still running", "The first request with this Idempotency-Key is running."),
    ErrorKind(
        "idempotency_expired", 409, "Answer expired", "The write of this Idempotency-Key was done over a day ago."
    ),
    ErrorKind("idempotency_mismatch", 422, "Key of another request", "The Idempotency-Key came with another request."),
    ErrorKind("precondition_failed", 412, "Precondition failed", "The row is not, or no longer, as If-Match names it."),
    ErrorKind("too_many_affected", 422, "Too many rows", "More rows match than max_affected allows; none was changed."),
    ErrorKind(
        "conflict_key_missing", 422, "No whole unique key", "With on_conflict the body must hold a whole unique key."
    ),
    ErrorKind(
        "fields_invalid", 422, "Invalid fields", "Fields of the body are unknown, missing or wrong; each is named."
    ),
    # 5xx
    ErrorKind("internal", 500, "Internal error", "The gateway made a mistake; the request id finds it in the log."),
    ErrorKind("starting", 503, "Starting", "The database has not been reached yet."),
    ErrorKind("database_away", 503, "Database away", "The database cannot be reached; nothing was changed."),
    ErrorKind("database_refuses", 503, "Database refuses", "The database does not permit this to the gateway itself."),
    ErrorKind("database_busy", 503, "Database busy", "All connections stayed busy for the whole wait."),
    ErrorKind("exports_busy", 503, "Exports busy", "As many exports run already as may run at a time; try again."),
    ErrorKind(
        "outcome_unknown",
        503,
        "Outcome unknown",
        "The write, or some of several, may have happened: it was cut at commit, or its key has no outcome (409).",
        409,
    ),
    ErrorKind("overloaded", 503, "Overloaded", "More requests wait than may; nothing was done. Try again."),
    ErrorKind("audit_away", 503, "Audit store away", "The request could not be audited, so nothing was done."),
    ErrorKind("state_away", 503, "State store away", "The gateway's own store did not answer; nothing was done."),
    ErrorKind("identity_away", 503, "Identity provider away", "The keys that JWTs are checked with cannot be read."),
    ErrorKind("no_acting_staff", 503, "No acting staff", "No active administrator exists whom a write could name."),
    ErrorKind(
        "schema_changed", 503, "Database schema changed", "A table changed under the request; the catalog reloads."
    ),
    ErrorKind("reload_failed", 503, "Reload failed", "The catalog could not be read anew; the one before is in use."),
    ErrorKind("statement_timeout", 504, "Statement limit reached", "The database did not answer within the limit."),
    ErrorKind("request_timeout", 504, "Request limit reached", "The answer was not there within the time it may take."),
    ErrorKind("export_timeout", 504, "Export limit reached", "The export was not whole within the time it may take."),
    # start
    ErrorKind("configuration", 500, "Configuration error", "Settings or whitelist are wrong; shown at start only."),
)

REGISTRY: Final[Mapping[str, ErrorKind]] = MappingProxyType({kind.code: kind for kind in _KINDS})

FIELD_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unknown": "The resource has no field of this name, for this caller.",
        "read_only": "The field cannot be written.",
        "required": "The field must be given.",
        "null": "The field cannot be null.",
        "type": "The value is of another type.",
        "too_long": "The value is longer than the column.",
        "out_of_range": "The number is outside the column's range.",
        "computed": "The CRM computes the value; it can only be sent as it comes out.",
        "scale": "The number has more decimals than the column.",
        "member": "The value is not one of the allowed ones.",
        "reference": "No row has the key that the value names.",
        "nonexistent_time": "The local time does not exist in the CRM's time zone.",
        "duplicate": "The field was given twice, or another row has the value that only one may have.",
        "dependant": "Rows of this resource depend on the row; `other` are rows that the caller may not read.",
    }
)
"""Codes of single entries in ``errors`` of a 422, with their meaning."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong in a request: where it stands and what would be right.

    ``pointer`` is a JSON pointer into the body (RFC 6901), ``parameter`` the name
    of a query parameter; at most one of them is set.
    """

    message: str
    parameter: str | None = None
    pointer: str | None = None
    code: str | None = None
    suggestion: str | None = None


class GatewayError(Exception):
    """A failure with a code of `REGISTRY`, a detail and the places it concerns."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        issues: Iterable[Issue] = (),
        parameter: str | None = None,
        suggestion: str | None = None,
        offset: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = REGISTRY[code]
        self.status = self.kind.status
        """The HTTP status, one of those the code has."""
        self.code = code
        self.detail = detail
        self.offset = offset
        self.headers: Mapping[str, str] = MappingProxyType(dict(headers or {}))
        listed = tuple(issues)
        if not listed and parameter is not None:
            listed = (Issue(detail, parameter=parameter, suggestion=suggestion),)
        self.issues = listed


class RequestError(GatewayError):
    """The request cannot be understood (400, 406, 408, 413, 414, 415, 431)."""


class CredentialError(GatewayError):
    """No valid token (401)."""


class ForbiddenError(GatewayError):
    """The token lacks a grant (403)."""


class ThrottledError(GatewayError):
    """The caller asks too often (429); its headers say when to try again, ``violated`` which policies it was."""

    def __init__(
        self, code: str, detail: str, *, headers: Mapping[str, str] | None = None, violated: Iterable[str] = ()
    ) -> None:
        super().__init__(code, detail, headers=headers)
        self.violated = tuple(violated)


class NotFoundError(GatewayError):
    """No such resource, row or path (404)."""


class MethodError(GatewayError):
    """The resource does not do that (405)."""


class ConflictError(GatewayError):
    """The stored rows do not allow it (409), or are not as the client requires (412)."""


class UnrecordedError(ConflictError):
    """What became of an earlier write was never recorded: ``outcome_unknown`` with the status of a conflict (409)."""

    def __init__(self, detail: str) -> None:
        super().__init__("outcome_unknown", detail)
        self.status = self.kind.other_status


class ValidationError(GatewayError):
    """Fields of the body are wrong (422); `issues` names every one."""


class UnavailableError(GatewayError):
    """Try again later (503, 504)."""


class SchemaChangedError(UnavailableError):
    """A table or column of the catalog has gone; a reload mends it (503)."""

    def __init__(self) -> None:
        super().__init__(
            "schema_changed",
            "The database's tables changed; the gateway is reading them anew. Try again.",
            headers={"Retry-After": "1"},
        )


class ConfigurationError(GatewayError):
    """Settings or whitelist are wrong; shown at start, never to a client."""

    def __init__(self, detail: str, problems: Iterable[str] = ()) -> None:
        super().__init__("configuration", detail)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join((self.detail, *self.problems))


class InternalError(GatewayError):
    """A mistake of ours (500)."""
