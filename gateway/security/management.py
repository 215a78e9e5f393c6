"""What administrators do with tokens, whether by the command line or by `/admin/tokens`: one set of functions.

What comes in: a `Wanted` that was read, or the id or name of a token. What goes out: records, and the text of a
new token with its signing secret, which is all that will ever be seen of them. Every call is one or two statements
on the state store, and waits for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from gateway.catalog.model import Catalog
from gateway.errors import ConflictError, Issue, NotFoundError
from gateway.query.suggest import nearest
from gateway.security.access import resolve_access
from gateway.security.grants import ANY, parse_grants, resolve_grants
from gateway.security.policy import NO_POLICY, Named, Policy, parse_policy, policy_text
from gateway.security.principal import Principal
from gateway.security.signatures import signing_key, signing_secret
from gateway.security.tokens import IssuedToken, new_token
from gateway.security.wanted import Wanted, at_fault, pointer_to
from gateway.state.tokens import NewToken, TokenRecord, TokenStore

Status = Literal["active", "superseded", "revoked", "expired"]
STATUSES: Final[tuple[Status, ...]] = ("active", "superseded", "revoked", "expired")

_LINEAGE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token just made: its record, and the texts that are shown once; no secret where requests are not signed."""

    record: TokenRecord
    text: str
    signing_secret: str | None

    def __repr__(self) -> str:
        """Leave the secrets out, so that they reach no log or traceback."""
        return f"MadeToken({self.record.id})"


@dataclass(frozen=True, slots=True)
class TokenDesk:
    """Makes, replaces and ends the tokens of a store. ``shared`` gives the store's key for signing secrets."""

    tokens: TokenStore
    shared: Callable[[], bytes]
    pepper: str = ""

    def create(self, wanted: Wanted) -> MadeToken:
        """Store a new token.

        Raises:
            ConfigurationError: a working token has the name already.
        """
        issued = new_token(self.pepper)
        policy = replace(wanted.policy, lineage=secrets.token_hex(_LINEAGE_BYTES))
        record = self.tokens.create(
            NewToken(
                wanted.name,
                issued.digest,
                issued.prefix,
                wanted.grants,
                wanted.is_admin,
                wanted.staff_id,
                wanted.expires_at,
                policy_text(policy),
            )
        )
        return self._made(issued, record)

    def rotate(self, name: str, overlap_s: int = 0) -> MadeToken:
        """Store a new token with all a named one had; the old one works for ``overlap_s`` more.

        Raises:
            ConfigurationError: no working token has the name.
        """
        issued = new_token(self.pepper)
        return self._made(issued, self.tokens.rotate(name, issued.digest, issued.prefix, overlap_s))

    def revoke_one(self, token_id: int, now: datetime) -> None:
        """End the token of an id now, with those that it replaced and that still work; one that has ended stays so.

        Raises:
            NotFoundError: ``row_unknown``.
            ConflictError: ``last_administrator`` for the last token that could manage tokens from afar.
        """
        record = self.one(token_id)
        if record.is_admin and record.is_active(now):
            others = (item for item in self.tokens.all() if item.id != record.id)
            if not any(item.is_admin and item.is_active(now) and item.revoked_at is None for item in others):
                raise ConflictError(
                    "last_administrator",
                    "It is the last working token with administration: make another one first, or end it with "
                    "`gateway token revoke` on the server.",
                )
        self.tokens.revoke(str(token_id))

    def one(self, token_id: int) -> TokenRecord:
        """Return the token of an id, working or not.

        Raises:
            NotFoundError: ``row_unknown``.
        """
        record = self.tokens.find(str(token_id))
        if record is None:
            raise NotFoundError("row_unknown", f"There is no token {token_id}.")
        return record

    def _made(self, issued: IssuedToken, record: TokenRecord) -> MadeToken:
        secret = None
        if parse_policy(record.policy).is_signed:
            secret = signing_secret(signing_key(self.pepper, self.shared()), issued.digest)
        return MadeToken(record, issued.text, secret)


def status_of(record: TokenRecord, now: datetime) -> Status:
    """Return what has become of a token; a superseded one works until its overlap ends."""
    if record.is_active(now):
        return "superseded" if record.revoked_at else "active"
    return "revoked" if record.revoked_at and record.revoked_at <= now else "expired"


def describe_token(record: TokenRecord, now: datetime) -> dict[str, Any]:
    """Return all that may be shown of a token, with the words in which it is asked for."""
    return {
        "id": record.id,
        "name": record.name,
        "prefix": record.prefix,
        "status": status_of(record, now),
        "grants": list(record.grants),
        "is_admin": record.is_admin,
        "staff_id": record.staff_id,
        **describe_policy(parse_policy(record.policy)),
        "created_at": record.created_at,
        "last_used_at": record.last_used_at,
        "expires_at": record.expires_at,
        "revoked_at": record.revoked_at,
    }


def describe_policy(policy: Policy) -> dict[str, Any]:
    """Return the limits of a policy as they are asked for; what is empty or null limits nothing."""
    return {
        "readable": {name: list(texts) for name, texts in policy.readable},
        "writable": {name: list(texts) for name, texts in policy.writable},
        "rows": {name: list(texts) for name, texts in policy.rows},
        "addresses": list(policy.addresses),
        "origins": list(policy.origins),
        "most_rows": policy.most_rows,
        "rate": str(policy.rate) if policy.rate else None,
        "is_signed": policy.is_signed,
    }


def describe_made(made: MadeToken, now: datetime) -> dict[str, Any]:
    """Return a new token with what is shown of it this one time."""
    signing = {} if made.signing_secret is None else {"signing_secret": made.signing_secret}
    return {"token": made.text, **signing, **describe_token(made.record, now)}


def check_wanted(wanted: Wanted, catalog: Catalog) -> tuple[str, ...]:
    """Hold a token that is asked for against a catalog; return the grants whose resource is not there, which may come.

    Raises:
        ValidationError: ``fields_invalid`` naming every limit that the catalog cannot hold, or that limits nothing.
    """
    grants = resolve_grants(parse_grants(wanted.grants), catalog)
    principal = Principal("", wanted.name, wanted.grants, policy=wanted.policy)
    policy = wanted.policy
    issues = []
    for unmet in resolve_access(principal, catalog).unmet:
        named = {"readable": policy.readable, "writable": policy.writable, "rows": policy.rows}[unmet.limit]
        place = _place(named, unmet.resource, unmet.text, catalog)
        issues.append(
            Issue(unmet.message, pointer=f"/{unmet.limit}{place}", code="unknown", suggestion=unmet.suggestion)
        )
    issues.extend(_idle(policy, catalog, grants.operations.keys()))
    if issues:
        raise at_fault(issues)
    return tuple(map(str, grants.unknown))


def remarks_on(wanted: Wanted) -> tuple[str, ...]:
    """Return what is right and may yet be another thing than was meant by a token that is asked for."""
    if wanted.is_admin and wanted.policy != NO_POLICY:
        return ("Its limits hold its own requests alone: with administration it can make a token without them.",)
    return ()


def _place(named: Named, resource: str, text: str | None, catalog: Catalog) -> str:
    """The pointer of a text below the resource as it was written, which may be an alias of the one at fault."""
    for name, texts in named:
        table = catalog.resources.get(name)
        if name == resource or (table is not None and table.resource == resource):
            if text is None:
                return pointer_to(name)
            if text in texts:
                return f"{pointer_to(name)}/{texts.index(text)}"
    return pointer_to(resource)


def _idle(policy: Policy, catalog: Catalog, granted: Iterable[str]) -> Iterable[Issue]:
    """Limits on resources on which nothing is granted: whoever wrote them meant another name."""
    names = frozenset(granted)
    for limit, named in (("readable", policy.readable), ("writable", policy.writable), ("rows", policy.rows)):
        for resource, _ in named:
            table = catalog.resources.get(resource)
            if table is not None and ANY not in names and table.resource not in names:
                close = nearest(resource, names)
                message = f"nothing is granted on {table.resource}"
                yield Issue(message, pointer=f"/{limit}{pointer_to(resource)}", code="member", suggestion=close)
