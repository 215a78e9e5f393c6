"""``gateway token``: create, list, revoke, rotate and explain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from gateway.catalog.model import Catalog
from gateway.cli.console import error_text, moment_text, put, put_json, put_table, say, warn
from gateway.cli.environment import open_state, settings_with, state_option
from gateway.cli.spans import Moment, Span
from gateway.errors import ConfigurationError, GatewayError
from gateway.security.access import build_access
from gateway.security.authenticate import principal_from
from gateway.security.explain import Permission, permissions_of
from gateway.security.grants import ANY, GrantRule, parse_grants, resolve_grants
from gateway.security.tokens import IssuedToken, new_token
from gateway.settings import Settings
from gateway.state.tokens import NewToken, TokenRecord

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def token() -> None:
    """Manage the tokens that callers present. A token is shown once, when it is made; only its SHA-256 is kept."""


@token.command()
@click.option("--name", required=True, help="What the token is for; one working token per name.")
@click.option(
    "--grant", "grants", multiple=True, metavar="RESOURCE:OPERATIONS", help="As in invoices:read; repeatable."
)
@click.option("--admin", is_flag=True, help="Also allow administration, which no grant does.")
@click.option("--staff", type=click.IntRange(min=1), help="The staff id that writes with this token name.")
@click.option("--expires", type=Moment(), help="When it ends: 90d, 12h, or the day 2027-01-01 (from 00:00 UTC).")
@state_option
@_json_option
def create(
    *,
    name: str,
    grants: tuple[str, ...],
    admin: bool,
    staff: int | None,
    expires: datetime | None,
    state_path: str | None,
    as_json: bool,
) -> None:
    """Make a token and print it, this one time.

    A grant names a resource (or alias, or * for all) and operations out of read,
    create, update, delete (or * for all): 'invoices:read', 'leads:read,create',
    '*:read', '*:*'. Put it in quotes, for the shell reads * itself.
    """
    rules = parse_grants(grants)
    _refuse_useless(name, rules, admin)
    settings = settings_with({"state_path": state_path})
    issued = new_token()
    wanted = NewToken(name, issued.digest, issued.prefix, tuple(map(str, rules)), admin, staff, expires)
    with open_state(settings) as state:
        record = state.tokens.create(wanted)
    _put_issued(issued, record, as_json)
    _warn_of_unknown(rules, settings)


@token.command("list")
@state_option
@_json_option
def list_tokens(state_path: str | None, as_json: bool) -> None:
    """List every token, ended ones too, without its secret."""
    with open_state(settings_with({"state_path": state_path})) as state:
        records = state.tokens.all()
    now = datetime.now(UTC)
    if as_json:
        put_json([_as_dict(record, now) for record in records])
    elif not records:
        say("There is no token yet: gateway token create --name bi --grant 'invoices:read'")
    else:
        put_table(
            ("ID", "NAME", "TOKEN", "GRANTS", "STATUS", "ENDS"),
            [_row(record, now) for record in records],
        )


@token.command()
@click.argument("name_or_id")
@state_option
def revoke(name_or_id: str, state_path: str | None) -> None:
    """End a token now, by name or id. Running workers notice within about a second."""
    with open_state(settings_with({"state_path": state_path})) as state:
        ended = state.tokens.revoke(name_or_id)
    if not ended:
        say(f'"{name_or_id}" had ended before; nothing was changed.')
    for record in ended:
        say(f'Revoked "{record.name}" ({record.prefix}…, id {record.id}).')


@token.command()
@click.argument("name")
@click.option("--overlap", type=Span(), default="0s", help="How long the old token still works: 1h, 30min.")
@state_option
@_json_option
def rotate(name: str, overlap: int, state_path: str | None, as_json: bool) -> None:
    """Replace a token by a new one with the same name, grants and expiry, and print it, this one time."""
    issued = new_token()
    with open_state(settings_with({"state_path": state_path})) as state:
        record = state.tokens.rotate(name, issued.digest, issued.prefix, overlap)
    _put_issued(issued, record, as_json)
    say(f"The old token works for another {overlap} s." if overlap else "The old token has ended.")


@token.command()
@click.argument("name_or_id")
@state_option
@_json_option
def explain(name_or_id: str, state_path: str | None, as_json: bool) -> None:
    """Show what a token may do, resource by resource when the database can be reached."""
    settings = settings_with({"state_path": state_path})
    with open_state(settings) as state:
        record = state.tokens.find(name_or_id)
    if record is None:
        raise ConfigurationError(f'There is no token "{name_or_id}": `gateway token list` shows those there are.')
    catalog = _catalog_or_none(settings, "what the token may do per resource")
    rules = parse_grants(record.grants)
    permissions = permissions_of(build_access(principal_from(record), catalog), catalog) if catalog else ()
    unknown = resolve_grants(rules, catalog).unknown if catalog else ()
    if as_json:
        put_json(_explained(record, catalog, permissions, unknown))
    else:
        _put_explained(record, permissions, unknown)


def _refuse_useless(name: str, rules: Sequence[GrantRule], is_admin: bool) -> None:
    if not name.strip() or not name.isprintable():
        raise ConfigurationError("A token's name is printable text: it appears in lists and logs.")
    if name.isdecimal():
        raise ConfigurationError("A token's name is not a number: numbers are the ids of tokens.")
    if not rules and not is_admin:
        raise ConfigurationError(
            "The token would do nothing: give --grant, as in --grant 'invoices:read', or --admin. Nothing was stored."
        )


def _put_issued(issued: IssuedToken, record: TokenRecord, as_json: bool) -> None:
    if as_json:
        put_json({"token": issued.text, **_as_dict(record, datetime.now(UTC))})
    else:
        put(issued.text)
    say(f'Token "{record.name}" ({_grants_text(record)}). Keep it now: it cannot be shown again.')


def _warn_of_unknown(rules: Sequence[GrantRule], settings: Settings) -> None:
    """Compare the grants' names with the database, when there is one: a name it lacks is fine, but worth a look."""
    if all(rule.resource == ANY for rule in rules) or not settings.database_url:
        return
    catalog = _catalog_or_none(settings, "whether the names in the grants exist")
    if catalog is not None:
        for rule in resolve_grants(rules, catalog).unknown:
            warn(f'No resource is named "{rule.resource}" now: "{rule}" grants nothing until there is one.')


def _catalog_or_none(settings: Settings, purpose: str) -> Catalog | None:
    if not settings.database_url:
        say(f"Without GATEWAY_DATABASE_URL it is not known {purpose}.")
        return None
    from gateway.cli.loading import load_faultless  # noqa: PLC0415  # see the package's docstring

    try:
        return load_faultless(settings)
    except GatewayError as error:
        warn(f"It is not known {purpose}: {error_text(error)}")
        return None


def _status(record: TokenRecord, now: datetime) -> str:
    if record.is_active(now):
        return "superseded" if record.revoked_at else "active"
    return "revoked" if record.revoked_at and record.revoked_at <= now else "expired"


def _grants_text(record: TokenRecord) -> str:
    return " ".join((*record.grants, *(("admin",) if record.is_admin else ())))


def _row(record: TokenRecord, now: datetime) -> tuple[str, ...]:
    ends = moment_text(record.ends_at, "never")
    return str(record.id), record.name, f"{record.prefix}…", _grants_text(record), _status(record, now), ends


def _as_dict(record: TokenRecord, now: datetime) -> dict[str, object]:
    return {
        "id": record.id,
        "name": record.name,
        "prefix": record.prefix,
        "grants": list(record.grants),
        "is_admin": record.is_admin,
        "staff_id": record.staff_id,
        "status": _status(record, now),
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "revoked_at": record.revoked_at,
    }


def _explained(
    record: TokenRecord, catalog: Catalog | None, permissions: Sequence[Permission], unknown: Sequence[GrantRule]
) -> dict[str, object]:
    resources = [
        {
            "resource": item.resource,
            "granted": list(item.operations),
            "refused": {str(word): reason for word, reason in item.refused.items()},
        }
        for item in permissions
    ]
    known = {"resources": resources if catalog else None, "unknown": [str(rule) for rule in unknown]}
    return {**_as_dict(record, datetime.now(UTC)), **known}


def _put_explained(record: TokenRecord, permissions: Sequence[Permission], unknown: Sequence[GrantRule]) -> None:
    now = datetime.now(UTC)
    put(f"{record.name} (id {record.id}, {record.prefix}…): {_status(record, now)}")
    put(f"created  {moment_text(record.created_at)}")
    put(f"ends     {moment_text(record.ends_at, 'never')}")
    put(f"grants   {' '.join(record.grants) or 'none'}")
    put(f"admin    {'yes' if record.is_admin else 'no'}")
    put(f"staff    {record.staff_id or 'the default'}")
    for rule in unknown:
        put(f"nothing  {rule}: no resource has this name")
    if permissions:
        put("")
        put_table(("RESOURCE", "GRANTED", "REFUSED BY THE RESOURCE"), [_permission_row(item) for item in permissions])


def _permission_row(item: Permission) -> tuple[str, str, str]:
    words_by_reason: dict[str, list[str]] = {}
    for word, reason in item.refused.items():
        words_by_reason.setdefault(reason, []).append(word)
    refused = "; ".join(f"{','.join(words)}: {reason}" for reason, words in words_by_reason.items())
    return item.resource, ",".join(item.operations), refused
