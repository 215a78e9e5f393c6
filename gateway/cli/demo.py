"""``gateway demo``: a generated sample CRM, a ready token, and the server, in one command.

Everything lives in one directory that only its owner can read, and that git leaves
out by itself: the CRM (one SQLite file per scale), the state file and the token.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gateway.cli.console import put, say, warn
from gateway.cli.environment import settings_with, variables_of
from gateway.errors import ConfigurationError
from gateway.security.tokens import digest_of, looks_like_token, new_token
from gateway.state.store import StateStore
from gateway.state.tokens import NewToken

if TYPE_CHECKING:
    from sample_crm.scale import ScaleName

HOLDER: Final = "demo"
_STALE_S: Final = 7 * 86_400


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, default=8000, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option(
    "--scale",
    type=click.Choice(["tiny", "demo", "bench"]),
    default="demo",
    show_default=True,
    help="How much of everything: about 60, 2,000 or 200,000 invoices.",
)
@click.option("--fresh/--keep", "is_fresh", default=False, help="Make the CRM anew, or keep it with what was written.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".demo"),
    show_default=True,
    help="Where CRM, state and token live.",
)
@click.option("--whitelist", metavar="PATH", help="Another whitelist than the one that comes along.")
def demo(*, host: str, port: int, scale: ScaleName, is_fresh: bool, directory: Path, whitelist: str | None) -> None:
    """Serve a generated sample CRM from a SQLite file, and print calls to try.

    Nothing else is needed and nothing else is touched: delete the directory and it
    is gone. The token stays the same between starts.
    """
    from gateway.cli.loading import preflight  # noqa: PLC0415  # see the package's docstring
    from gateway.cli.server import address_of, deaf_to_hangups, listen, run  # noqa: PLC0415  # as above

    with deaf_to_hangups(), listen(host, port) as listener:
        _make_directory(directory)
        crm = directory / f"crm-{scale}.sqlite3"
        _build(crm, scale, is_fresh)
        options = {
            "database_url": f"sqlite:///{crm.resolve()}",
            "whitelist": whitelist or demo_whitelist(),
            "state_path": directory / "state.sqlite3",
            "host": host,
            "port": port,
            "workers": 1,
            "log_level": os.environ.get("GATEWAY_LOG_LEVEL", "warning"),
        }
        settings = settings_with(options)
        token = ready_token(settings.state_path, directory / "token")
        preflight(settings, is_demo=True)
        os.environ.update(variables_of(options))
        address = address_of(listener)
        run(settings, listener, lambda: put(welcome(address, token)))
    say("\nThe demo has stopped.")


def demo_whitelist() -> Path:
    """Return the Perfex whitelist: a checkout's own at its top level, else the installed copy.

    The working directory's is not looked at: it may be that of another database.

    Raises:
        ConfigurationError: the installation has neither.
    """
    package = Path(__file__).resolve().parent.parent
    places = (package.parent / "whitelist.yaml", package / "profile" / "perfex" / "whitelist.yaml")
    for place in places:
        if place.is_file():
            return place
    raise ConfigurationError(f"The Perfex whitelist is missing ({places[0]}): give one with --whitelist.")


def ready_token(state_path: str, keep: Path) -> str:
    """Return the demo's token: the kept one if it still works, else a new one, kept readable by its owner alone."""
    with StateStore.open(state_path) as state:
        kept = keep.read_text("ascii", "replace").strip() if keep.is_file() else ""
        if looks_like_token(kept.encode()):
            record = state.tokens.by_digest(digest_of(kept.encode()))
            if record is not None and record.is_active(datetime.now(UTC)):
                return kept
        if state.tokens.find(HOLDER) is not None:
            state.tokens.revoke(HOLDER)
        issued = new_token()
        state.tokens.create(NewToken(HOLDER, issued.digest, issued.prefix, ("*:*",), is_admin=True))
    keep.unlink(missing_ok=True)
    with os.fdopen(os.open(keep, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(issued.text + "\n")
    return issued.text


def welcome(address: str, token: str) -> str:
    """Return what the demo prints: the token, three calls that work as they stand, and where to read on."""
    api = f"{address}/api/v1"
    call = f"curl -sg -H 'Authorization: Bearer {token}'"
    return f"""
The sample CRM is served at {api}

Token (all data and administration, for this demo only):
  {token}

Try:
  {call} '{api}/invoices?filter[total.gte]=1000&sort=-total,duedate&fields=id,total,duedate&per_page=5'
  {call} '{api}/invoices/42'
  {call} '{api}/clients?fields=userid,company,email&per_page=5'

Documentation: {address}/api_docs
Ctrl-C stops the demo."""


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (directory / ".gitignore").write_text("*\n", encoding="ascii")
    except OSError as error:
        raise ConfigurationError(
            f"The directory {directory} cannot be used ({error.strerror}): choose another with --directory."
        ) from error


def _build(crm: Path, scale: ScaleName, is_fresh: bool) -> None:
    """Make the sample CRM unless it is there and may stay."""
    import sample_crm  # noqa: PLC0415  # a heavy import, and only for building

    if crm.is_file() and not is_fresh:
        age_s = time.time() - crm.stat().st_mtime
        if age_s > _STALE_S:
            warn(
                f'The sample CRM is {age_s / 86_400:.0f} days old, so "this month" may be empty: --fresh makes it anew.'
            )
        return
    say(f"Making a sample CRM (scale {scale}) in {crm} …")
    started = time.monotonic()
    sample_crm.build(f"sqlite:///{crm.resolve()}", scale=scale, replace=is_fresh, progress=say)
    crm.chmod(0o600)
    say(f"Done in {time.monotonic() - started:.1f} s.")
