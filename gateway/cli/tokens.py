"""``gateway token``: create, list, revoke, rotate and explain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import click

from gateway.catalog.model import Catalog
from gateway.cli.console import error_text, moment_text, put, put_json, put_table, say, warn
from gateway.cli.environment import open_state, settings_with, state_option
from gateway.cli.records import record_change
from gateway.cli.spans import Moment, Span
from gateway.errors import ConfigurationError, GatewayError, UnavailableError, ValidationError
from gateway.security.explain import explain_token
from gateway.security.grants import ANY
from gateway.security.management import (
    MadeToken,
    TokenDesk,
    check_wanted,
    describe_made,
    describe_token,
    remarks_on,
    status_of,
)
from gateway.security.wanted import Wanted, read_wanted
from gateway.settings import Settings
from gateway.state.failures import StateAwayError
from gateway.state.secret import shared_key
from gateway.state.store import StateStore
from gateway.state.tokens import TokenRecord

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

OPTIONS: Final = {
    "name": "--name",
    "grants": "--grant",
    "is_admin": "--admin",
    "staff_id": "--staff",
    "expires_at": "--expires",
    "readable": "--readable",
    "writable": "--writable",
    "rows": "--rows",
    "addresses": "--address",
    "origins": "--origin",
    "most_rows": "--max-rows",
    "rate": "--rate",
    "is_signed": "--signed",
}
"""The option that each field of a token is given by."""


@click.group()
def token() -> None:
    """Manage the tokens that callers present. A token is shown once, when it is made; only a digest of it is kept."""


@token.command()
@click.option("--name", required=True, help="What the token is for; one working token per name.")
@click.option(
    "--grant", "grants", multiple=True, metavar="RESOURCE:OPERATIONS", help="As in invoices:read; repeatable."
)
@click.option(
    "--readable",
    multiple=True,
    metavar="RESOURCE:COLUMNS",
    help="Only these columns are there for the token, as in invoices:id,number,total.",
)
@click.option("--writable", multiple=True, metavar="RESOURCE:COLUMNS", help="Only these columns may be written.")
@click.option(
    "--rows",
    multiple=True,
    metavar="RESOURCE:CONDITION",
    help="Only these rows are there for the token, as in invoices:clientid=12; repeatable, all must hold.",
)
@click.option("--address", "addresses", multiple=True, metavar="CIDR", help="Where it may be used from; repeatable.")
@click.option("--origin", "origins", multiple=True, metavar="URL", help="Whose pages may use it; repeatable.")
@click.option("--max-rows", type=int, help="The most rows of one page.")
@click.option("--rate", help="Its own rate, as in 600/min; else that of the settings.")
@click.option("--signed", is_flag=True, help="Take only requests that are signed with its signing secret.")
@click.option("--admin", is_flag=True, help="Also allow administration, which no grant does.")
@click.option("--staff", type=click.IntRange(min=1), help="The staff id that writes with this token name.")
@click.option("--expires", type=Moment(), help="When it ends: 90d, 12h, or the day 2027-01-01 (from 00:00 UTC).")
@state_option
@_json_option
def create(*, state_path: str | None, as_json: bool, **options: Any) -> None:
    """Make a token and print it, this one time.

    A grant names a resource (or alias, or * for all) and operations out of read,
    create, update, delete (or * for all): 'invoices:read', 'leads:read,create',
    '*:read', '*:*'. Put it in quotes, for the shell reads * itself.
    """
    wanted = _wanted(options)
    settings = settings_with({"state_path": state_path})
    unknown = _checked(wanted, settings)
    with open_store(settings, f'"{wanted.name}" was NOT made', must_exist=False) as state:
        made = _desk(state, settings).create(wanted)
        record_change(state, settings, "create", made.record.id, f"gateway token create --name {made.record.name}")
    _put_made(made, as_json=as_json)
    for grant in unknown:
        warn(f'No resource is named "{grant.partition(":")[0]}" now: "{grant}" grants nothing until there is one.')
    for remark in remarks_on(wanted):
        warn(remark)


@token.command("list")
@state_option
@_json_option
def list_tokens(state_path: str | None, as_json: bool) -> None:
    """List every token, ended ones too, without its secret."""
    with open_store(settings_with({"state_path": state_path}), "the tokens were not read") as state:
        records = state.tokens.all()
    now = datetime.now(UTC)
    if as_json:
        put_json([describe_token(record, now) for record in records])
    elif not records:
        say("There is no token yet: gateway token create --name bi --grant 'invoices:read'")
    else:
        put_table(
            ("ID", "NAME", "TOKEN", "GRANTS", "STATUS", "USED", "ENDS"),
            [_row(record, now) for record in records],
        )


@token.command()
@click.argument("name_or_id")
@state_option
def revoke(name_or_id: str, state_path: str | None) -> None:
    """End a token now, by name or id. Running workers notice within a second."""
    settings = settings_with({"state_path": state_path})
    with open_store(settings, f'"{name_or_id}" was NOT revoked') as state:
        ended = state.tokens.revoke(name_or_id)
        for record in ended:
            record_change(state, settings, "delete", record.id, f"gateway token revoke {name_or_id}")
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
    """Replace a token by a new one with the same name, grants, limits and expiry, and print it, this one time."""
    settings = settings_with({"state_path": state_path})
    with open_store(settings, f'"{name}" was NOT replaced') as state:
        made = _desk(state, settings).rotate(name, overlap)
        record_change(state, settings, "create", made.record.id, f"gateway token rotate {name}")
    _put_made(made, as_json=as_json)
    say(f"The old token works for another {overlap} s." if overlap else "The old token has ended.")


@token.command()
@click.argument("name_or_id")
@click.argument("request", required=False)
@click.option("--from", "address", metavar="ADDRESS", default="", help="Where the request would come from.")
@click.option("--origin", metavar="URL", default="", help="The page that would send it.")
@state_option
@_json_option
def explain(
    *, name_or_id: str, request: str | None, address: str, origin: str, state_path: str | None, as_json: bool
) -> None:
    """Show what a token may do, resource by resource when the database can be reached.

    With a REQUEST, such as 'GET /api/v1/invoices?filter[total.gte]=5', show what each stage would do with it,
    and why it would be refused. The request is planned and not run.
    """
    settings = settings_with({"state_path": state_path})
    with open_store(settings, "the token was not read") as state:
        record = state.tokens.find(name_or_id)
    if record is None:
        raise ConfigurationError(f'There is no token "{name_or_id}": `gateway token list` shows those there are.')
    if request is not None:
        told = _tried(settings, record, request, address, origin)
        put_json({**describe_token(record, datetime.now(UTC)), "request": told}) if as_json else _put_tried(told)
        return
    catalog = _catalog_or_none(settings, "what the token may do per resource")
    told = explain_token(record, catalog, datetime.now(UTC))
    if as_json:
        put_json(told)
    else:
        _put_explained(record, told)


@contextmanager
def open_store(settings: Settings, outcome: str, *, must_exist: bool = True) -> Iterator[StateStore]:
    """Return the open store; where it fails meanwhile, which one is told, why, and what came of the command.

    Only the command that makes tokens may make a store: an empty one in the place of a running gateway's would
    end all its tokens, and in a wrong directory it would look as if there were none.
    """
    with open_state(settings, must_exist=must_exist) as state:
        try:
            yield state
        except StateAwayError as error:
            told = f"The state store {state.address} failed ({error.reason}): {outcome}. Mend it, and try again."
            raise UnavailableError("state_away", told) from error


# Making


def _desk(state: StateStore, settings: Settings) -> TokenDesk:
    return TokenDesk(state.tokens, lambda: shared_key(state.write, "signing"), settings.token_pepper)


def _wanted(options: dict[str, Any]) -> Wanted:
    """The token that the options of the command ask for, read as a request's body would be."""
    given = {
        "name": options["name"],
        "grants": options["grants"],
        "is_admin": options["admin"],
        "staff_id": options["staff"],
        "expires_at": options["expires"],
        "readable": _by_resource(options["readable"], "--readable", is_list=True),
        "writable": _by_resource(options["writable"], "--writable", is_list=True),
        "rows": _by_resource(options["rows"], "--rows", is_list=False),
        "addresses": options["addresses"],
        "origins": options["origins"],
        "most_rows": options["max_rows"],
        "rate": options["rate"],
        "is_signed": options["signed"],
    }
    try:
        return read_wanted(given, datetime.now(UTC))
    except ValidationError as error:
        raise _unusable(error) from error


def _by_resource(texts: Iterable[str], option: str, *, is_list: bool) -> dict[str, list[str]]:
    """The texts behind the first colon by what is before it; repeated options of one resource add up."""
    found: dict[str, list[str]] = {}
    for text in texts:
        resource, colon, rest = text.partition(":")
        if not colon or not resource.strip() or not rest.strip():
            form = "invoices:id,number" if is_list else "invoices:clientid=12"
            raise ConfigurationError(f'{option}: "{text}" names no resource: write it as in {form}.')
        found.setdefault(resource.strip(), []).extend(rest.split(",") if is_list else [rest])
    return found


def _unusable(error: ValidationError) -> ConfigurationError:
    lines = []
    for issue in error.issues:
        field, _, rest = (issue.pointer or "").lstrip("/").partition("/")
        resource = rest.partition("/")[0]
        where = f" {resource}" if field in ("readable", "writable", "rows") and resource else ""
        lines.append(f"{OPTIONS.get(field, field)}{where}: {issue.message}")
    return ConfigurationError("The token is not usable, and nothing was stored:", lines)


def _checked(wanted: Wanted, settings: Settings) -> tuple[str, ...]:
    """Hold a token against the database, when there is one; return the grants whose resource is not there.

    A name that a grant has and the database lacks is fine, but worth a look; one in a limit is refused.
    """
    policy = wanted.policy
    is_limited = bool(policy.readable or policy.writable or policy.rows)
    if not is_limited and (not settings.database_url or all(grant.startswith(f"{ANY}:") for grant in wanted.grants)):
        return ()
    catalog = _catalog_or_none(settings, "whether the names in the grants exist")
    if catalog is None:
        if is_limited:
            warn("The limits were not checked: a token with one that cannot be held may do less than you mean.")
        return ()
    try:
        return check_wanted(wanted, catalog)
    except ValidationError as error:
        raise _unusable(error) from error


def _put_made(made: MadeToken, *, as_json: bool) -> None:
    record = made.record
    if as_json:
        put_json(describe_made(made, datetime.now(UTC)))
    else:
        put(made.text)
        if made.signing_secret is not None:
            put(made.signing_secret)
    what = "it and its signing secret now: they" if made.signing_secret is not None else "it now: it"
    say(f'Token "{record.name}" ({_grants_text(record)}). Keep {what} cannot be shown again.')


# Showing


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


def _tried(settings: Settings, record: TokenRecord, request: str, address: str, origin: str) -> dict[str, Any]:
    from gateway.cli.loading import load_faultless  # noqa: PLC0415  # see the package's docstring
    from gateway.execution.connect import open_database  # noqa: PLC0415  # as above
    from gateway.web.service import make_service  # noqa: PLC0415  # as above
    from gateway.web.trial import describe_trial, parse_attempt, try_request  # noqa: PLC0415  # as above

    attempt = parse_attempt(request, address, origin)
    catalog = load_faultless(settings)

    async def tried() -> dict[str, Any]:
        database = open_database(settings, lambda event: None)  # which nothing is sent to
        try:
            service = make_service(catalog, database, settings, lambda event: None)
            return describe_trial(try_request(settings, service, record, attempt, datetime.now(UTC)))
        finally:
            await database.close()

    return {"method": attempt.method, "url": attempt.url, **asyncio.run(tried())}


def _put_tried(told: dict[str, Any]) -> None:
    put(f"{told['method']} {told['url']}")
    put_table(
        ("STAGE", "OUTCOME", "WHY"),
        [(step["stage"], step["outcome"], _why(step)) for step in told["steps"]],
    )
    put("")
    put(f"Decision: {told['decision']}")


def _why(step: dict[str, Any]) -> str:
    return f"{step['status']} {step['code']}: {step['detail']}" if step["code"] else str(step["detail"])


def _grants_text(record: TokenRecord) -> str:
    return " ".join((*record.grants, *(("admin",) if record.is_admin else ())))


def _row(record: TokenRecord, now: datetime) -> tuple[str, ...]:
    used, ends = moment_text(record.last_used_at, "never"), moment_text(record.ends_at, "never")
    return str(record.id), record.name, f"{record.prefix}…", _grants_text(record), status_of(record, now), used, ends


def _put_explained(record: TokenRecord, told: dict[str, Any]) -> None:
    put(f"{record.name} (id {record.id}, {record.prefix}…): {told['status']}")
    put(f"created  {moment_text(record.created_at)}")
    put(f"used     {moment_text(record.last_used_at, 'never')}")
    put(f"ends     {moment_text(record.ends_at, 'never')}")
    put(f"grants   {' '.join(record.grants) or 'none'}")
    put(f"admin    {'yes' if record.is_admin else 'no'}")
    put(f"staff    {record.staff_id or 'the default'}")
    for limit, text in _limits(told):
        put(f"{limit:<8} {text}")
    for grant in told["unknown"]:
        put(f"nothing  {grant}: no resource has this name")
    for problem in told["problems"]:
        put(f"problem  {problem}")
    if told["resources"]:
        put("")
        head = ("RESOURCE", "GRANTED", "READABLE", "WRITABLE", "ROWS", "REFUSED BY THE RESOURCE")
        put_table(head, [_permission_row(item) for item in told["resources"]])


def _limits(told: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """The limits as they were asked for, one line each; none where there is none."""
    for limit in ("readable", "writable"):
        yield from ((limit, f"{name}: {', '.join(texts)}") for name, texts in told[limit].items())
    yield from (("rows", f"{name}: {' and '.join(texts)}") for name, texts in told["rows"].items())
    yield from (("from", text) for text in told["addresses"])
    yield from (("origin", text) for text in told["origins"])
    if told["most_rows"]:
        yield "pages", f"at most {told['most_rows']} rows"
    if told["rate"]:
        yield "rate", told["rate"]
    if told["is_signed"]:
        yield "signed", "every request"


def _permission_row(item: dict[str, Any]) -> tuple[str, ...]:
    words_by_reason: dict[str, list[str]] = {}
    for word, reason in item["refused"].items():
        words_by_reason.setdefault(reason, []).append(word)
    refused = "; ".join(f"{','.join(words)}: {reason}" for reason, words in words_by_reason.items())
    rows = " and ".join(item["rows"]) or "all"
    return (
        item["resource"],
        ",".join(item["granted"]),
        _names_text(item["readable"]),
        _names_text(item["writable"]),
        rows,
        refused,
    )


def _names_text(names: Sequence[str] | None) -> str:
    return "all" if names is None else ",".join(names) or "none"
