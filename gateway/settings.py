"""Every setting in one place: its environment variable, default, unit and meaning.

What comes in: a mapping of environment variables and, named by `GATEWAY_SETTINGS`,
a YAML file of the same names in lower case without the prefix; the environment
wins. What goes out: a frozen `Settings`, or one `ConfigurationError` that lists
every mistake.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import yaml

from gateway.errors import ConfigurationError

PREFIX: Final = "GATEWAY_"
SETTINGS_FILE_VARIABLE: Final = "GATEWAY_SETTINGS"
FOREIGN_VARIABLES: Final = frozenset({"GATEWAY_TEST_DATABASE_URL", SETTINGS_FILE_VARIABLE})


def _setting(default: Any, summary: str, *, least: float | None = None, most: float | None = None) -> Any:
    return field(default=default, metadata={"summary": summary, "least": least, "most": most})


@dataclass(frozen=True, slots=True)
class Settings:
    """What an administrator may set; `docs/settings.md` has one line for each."""

    database_url: str = _setting("", "the CRM's database: mysql://user:password@host:3306/name")
    whitelist: str = _setting("whitelist.yaml", "path of the whitelist")
    state_path: str = _setting(
        "gateway-state.sqlite3", "path of the gateway's own store (tokens, audit, rates, claims on idempotency keys)"
    )
    state_url: str = _setting(
        "", "the gateway's own store in a database that several nodes share: an SQLAlchemy URL; then no path is used"
    )
    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8000, "port to listen on", least=0, most=65_535)
    workers: int = _setting(1, "worker processes", least=1, most=256)
    public_url: str = _setting("", "scheme and host that absolute links use; else those of the request")
    timezone: str = _setting("", "the CRM's time zone where its options do not name one; else UTC")
    staff_id: int = _setting(0, "staff id that writes name when the token has none; 0: the first active admin", least=0)
    pool_size: int = _setting(16, "database connections of one worker", least=1, most=1_000)
    pool_wait_s: float = _setting(5.0, "seconds a request waits for a connection before 503", least=0.01, most=300)
    pool_recycle_s: float = _setting(300.0, "seconds after which an idle connection is replaced", least=1)
    connect_timeout_s: float = _setting(5.0, "seconds to reach the database", least=0.1, most=300)
    statement_limit_s: float = _setting(10.0, "seconds one statement may take before 504", least=0.1, most=3_600)
    lock_wait_s: int = _setting(5, "seconds a write waits for another's lock before 409", least=1, most=3_600)
    statement_cache: int = _setting(256, "prepared statements kept per connection", least=0, most=10_000)
    plan_cache: int = _setting(2_000, "statements and parsed queries kept per worker", least=1, most=1_000_000)
    database_tls: str = _setting("prefer", "TLS to the database: off, prefer (where offered) or require")
    database_tls_ca: str = _setting("", "CA file; when given, the database's certificate and host name are verified")
    count_deadline_ms: int = _setting(250, "milliseconds an exact count may take before it is estimated", least=1)
    count_reuse_ms: int = _setting(2_000, "milliseconds a count may be reused, 0 for never", least=0, most=2_000)
    max_examined_rows: int = _setting(
        0, "rows that the database may look at for one query; 0 for any number; the whitelist's own wins", least=0
    )
    reload_every_s: float = _setting(60.0, "seconds between looks at the database's tables; 0 for never", least=0)
    max_body_bytes: int = _setting(262_144, "largest request body", least=1_024)
    max_bulk_body_bytes: int = _setting(
        4_194_304, "largest request body that is an array of rows or a query", least=1_024
    )
    body_wait_s: float = _setting(10.0, "seconds a request body may take to arrive before 408", least=0.01, most=3_600)
    max_url_bytes: int = _setting(8_192, "longest URL", least=256)
    max_query_parameters: int = _setting(1_000, "parameters that a URL or a form may have", least=1)
    max_header_bytes: int = _setting(32_768, "size of all headers of one request, request line included", least=1_024)
    max_headers: int = _setting(100, "headers that one request may have", least=10)
    max_json_depth: int = _setting(10, "deepest nesting of a JSON body", least=1, most=100)
    max_offset: int = _setting(
        100_000_000, "furthest row that a page may begin at; a cursor goes on from anywhere", least=0
    )
    max_conditions: int = _setting(200, "conditions that the filters of one query may have", least=1, most=1_000)
    max_filter_depth: int = _setting(12, "groups of a filter that may stand inside each other", least=1, most=100)
    max_path: int = _setting(5, "relationships that one name may follow", least=1, most=20)
    max_includes: int = _setting(20, "relationships that one query may include", least=0, most=1_000)
    max_included_rows: int = _setting(50_000, "rows that may come along with one page by all its includes", least=1)
    graphql_introspection: bool = _setting(True, "let callers read the GraphQL schema; administrators always may")
    graphql_max_tokens: int = _setting(4_000, "tokens that a GraphQL document may have", least=10, most=1_000_000)
    graphql_max_document_bytes: int = _setting(100_000, "size of a GraphQL document", least=100)
    graphql_max_depth: int = _setting(
        12, "selections of a GraphQL operation that may stand inside each other", least=1, most=100
    )
    graphql_max_aliases: int = _setting(
        50, "fields of a GraphQL operation that may be asked for under another name", least=0, most=100_000
    )
    graphql_max_complexity: int = _setting(
        100_000, "objects that a GraphQL operation may come to, by the limits of its lists", least=1
    )
    graphql_max_introspection_depth: int = _setting(
        20, "selections of an introspection that may stand inside each other", least=1, most=100
    )
    graphql_max_answer_bytes: int = _setting(
        8_388_608, "bytes of a GraphQL answer after which no more root fields are read", least=1_024
    )
    graphql_show_cost: bool = _setting(False, "tell in each GraphQL answer what its operation cost")
    graphql_documents: int = _setting(500, "parsed GraphQL documents kept per worker and schema", least=1, most=100_000)
    graphql_schemas: int = _setting(
        8, "GraphQL schemas kept per worker, each up to 12 MB; tokens of equal rights share one", least=1, most=1_000
    )
    graphql_persisted: str = _setting(
        "automatic",
        "persisted queries: automatic (clients store them), only (those of the file, but for administrators) or off",
    )
    graphql_persisted_file: str = _setting("", "JSON file of persisted documents by the SHA-256 of their text")
    export_limit_s: float = _setting(300.0, "seconds an export may take in all", least=1, most=86_400)
    export_stall_s: float = _setting(
        30.0, "seconds a client may leave what it is sent unread before its export ends", least=0.1, most=3_600
    )
    export_most: int = _setting(2, "exports of one worker at a time, each on a connection of its own", least=1, most=64)
    export_spool_bytes: int = _setting(
        1_073_741_824, "largest file that an export may need on disk before it is sent (XLSX, Parquet)", least=65_536
    )
    request_limit_s: float = _setting(
        10.0, "seconds until the first byte of an answer; also the limit of the database's work", least=0.1, most=3_600
    )
    header_wait_s: float = _setting(10.0, "seconds a request's headers may take to arrive", least=0.01, most=3_600)
    keep_alive_s: int = _setting(75, "seconds an idle connection is kept", least=1, most=3_600)
    max_connections: int = _setting(2_000, "connections that one worker holds open", least=1, most=100_000)
    max_connections_per_address: int = _setting(
        512, "connections that one address may hold open to one worker, trusted proxies apart", least=1, most=100_000
    )
    max_running: int = _setting(64, "requests that one worker runs at a time", least=1, most=100_000)
    max_waiting: int = _setting(256, "requests that may wait for their turn before more get 503", least=0, most=100_000)
    queue_wait_s: float = _setting(2.0, "seconds a request waits for its turn before 503", least=0.01, most=300)
    address_rate: str = _setting("12000/min", "requests of one address to one worker, before anything is looked at")
    refused_rate: str = _setting("60/min", "refused tokens of one address to one worker before it gets 429")
    trusted_proxies: str = _setting(
        "", "networks (CIDR, comma-separated) whose X-Forwarded-For and X-Forwarded-Proto are believed"
    )
    cors_origins: str = _setting(
        "", "origins (comma-separated) whose pages may call with any token, * for all; a token's own are added"
    )
    cors_max_age_s: int = _setting(600, "seconds a browser may remember a preflight", least=0, most=86_400)
    hsts_s: int = _setting(31_536_000, "seconds of Strict-Transport-Security behind TLS, 0 for none", least=0)
    token_pepper: str = _setting("", "secret that token digests are keyed with (HMAC), kept outside the store")
    signature_window_s: int = _setting(300, "seconds that a request's signature is good for", least=10, most=3_600)
    jwt_keys: str = _setting("", "URL or file of the JWKS whose JWTs are accepted as tokens (extra: jwt)")
    jwt_issuer: str = _setting("", "issuer that a JWT must name")
    jwt_audience: str = _setting("", "audience that a JWT must name")
    jwt_grants_claim: str = _setting("gateway_grants", "claim of a JWT that holds its grants")
    rate_limit: str = _setting("6000/min", "requests of one token, on all workers and nodes; a token's own rate wins")
    rate_store_url: str = _setting("", "Redis that counts rates, as redis://host:6379/0 (extra: redis); else the store")
    audit: str = _setting("all", "requests that leave an audit record: all, writes (and refusals) or off")
    audit_policy: str = _setting("degrade", "when the audit store fails: degrade (serve on) or closed (503)")
    audit_keep_days: int = _setting(90, "days that audit records are kept", least=1, most=36_500)
    audit_max_rows: int = _setting(1_000_000, "audit records that are kept, the newest", least=1_000)
    audit_one_in: int = _setting(100, "of how many answers to nobody known, or by the shield, one is audited", least=1)
    metrics_address: str = _setting("", "host:port that answers /metrics without a token, as 127.0.0.1:9100")
    drain_s: float = _setting(0.0, "seconds of serving on while /readyz says no, after SIGTERM", least=0, most=300)
    stop_wait_s: int = _setting(30, "seconds that requests in flight may take after that", least=1, most=3_600)
    access_log: bool = _setting(False, "log one line per request")
    tracing: bool = _setting(False, "send OpenTelemetry traces (extra: otel); OTEL_* variables say where")
    log_level: str = _setting("info", "debug, info, warning or error")
    server_timing: bool = _setting(False, "send Server-Timing with the time that each request took")


_PUBLIC_URL: Final = re.compile(r"https?://[A-Za-z0-9._\-\[\]:]+/?")
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.\-]*://(?:[a-z0-9._\-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_JWKS_URL: Final = re.compile(r"https://[^\s/]+\S*|http://(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]\S*)?")
_LEAST_PEPPER: Final = 32
_RATES: Final = frozenset({"address_rate", "refused_rate", "rate_limit"})
_RATE: Final = re.compile(
    r"\s*(off|0|)\s*|\s*0*[1-9]\d{0,11}\s*/\s*(0*[1-9]\d{0,4})?\s*(s|sec|second|min|minute|h|hour|d)\s*"
)
"""As `security.rates.parse_rate`, which is above this, reads them."""
_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")
_SECRETS: Final = frozenset({"token_pepper"})
"""Settings whose value stands in no message."""

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "audit": ("all", "writes", "off"),
    "audit_policy": ("degrade", "closed"),
    "database_tls": ("off", "prefer", "require"),
    "graphql_persisted": ("automatic", "only", "off"),
    "log_level": ("debug", "info", "warning", "error"),
}


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as the documentation shows it."""

    name: str
    variable: str
    default: object
    summary: str


def setting_rows() -> tuple[SettingRow, ...]:
    """Return every setting in definition order."""
    return tuple(
        SettingRow(item.name, PREFIX + item.name.upper(), item.default, item.metadata["summary"])
        for item in fields(Settings)
    )


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings of an environment and of the file it names.

    Raises:
        ConfigurationError: listing every unknown name and every value out of range.
    """
    problems: list[str] = []
    given: dict[str, object] = _from_file(environ.get(SETTINGS_FILE_VARIABLE), problems)
    given.update(_from_environment(environ, problems))
    values: dict[str, Any] = {}
    for item in fields(Settings):
        if item.name in given:
            _read_value(item, given[item.name], values, problems)
    problems += _missing_beside(values)
    if problems:
        raise ConfigurationError("The settings are not usable:", problems)
    return Settings(**values)


def _from_file(path: str | None, problems: list[str]) -> dict[str, object]:
    if not path:
        return {}
    try:
        loaded = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        problems.append(f"{path}: cannot be read as YAML: {error}")
        return {}
    if loaded is not None and not isinstance(loaded, dict):
        problems.append(f"{path}: must be a mapping of setting names to values")
        return {}
    return _known({str(key): value for key, value in (loaded or {}).items()}, f"{path}: ", str.lower, problems)


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, object]:
    own = {key: value for key, value in environ.items() if key.startswith(PREFIX) and key not in FOREIGN_VARIABLES}
    return _known(own, "", lambda key: key.removeprefix(PREFIX).lower(), problems)


def _known(
    given: Mapping[str, object], where: str, name_of: Callable[[str], str], problems: list[str]
) -> dict[str, object]:
    names = [item.name for item in fields(Settings)]
    known: dict[str, object] = {}
    for key, value in given.items():
        name = name_of(key)
        if name in names:
            known[name] = value
            continue
        close = difflib.get_close_matches(name, names, 1)
        hint = f"; did you mean {PREFIX + close[0].upper() if not where else close[0]}?" if close else ""
        problems.append(f"{where}unknown setting {key}{hint}")
    return known


def _read_value(item: Field[Any], raw: object, values: dict[str, Any], problems: list[str]) -> None:
    variable = PREFIX + item.name.upper()
    default = item.default if item.default is not MISSING else ""
    try:
        value = _converted(raw, default)
    except ValueError:
        problems.append(f"{variable}: {raw!r} is not {_TYPE_NAMES[type(default)]}")
        return
    least, most = item.metadata["least"], item.metadata["most"]
    if _is_outside(value, least, most):
        problems.append(f"{variable}: {value} is outside {least} to {most if most is not None else 'any'}")
        return
    fault = _fault(item.name, value)
    if fault:
        shown = "its value" if item.name in _SECRETS else repr(value)
        problems.append(f"{variable}: {shown} {fault}")
        return
    choices = _CHOICES.get(item.name)
    if choices and value not in choices:
        problems.append(f"{variable}: {value!r} is not one of {', '.join(choices)}")
        return
    values[item.name] = value


def _fault(name: str, value: object) -> str | None:
    """What is wrong with a text that must have a form of its own."""
    if name == "public_url" and value and not _PUBLIC_URL.fullmatch(str(value)):
        return "is no scheme and host such as https://api.example.com"
    if name == "timezone" and value and value not in available_timezones():
        return "is no time zone such as Asia/Dubai"
    if name == "cors_origins" and value and not _are_origins(str(value)):
        return "is neither * nor a list of origins as browsers send them, such as https://app.example.com"
    if name == "token_pepper" and value and len(str(value)) < _LEAST_PEPPER:
        return f"is shorter than {_LEAST_PEPPER} characters: take `openssl rand -hex 32`"
    if name == "jwt_keys" and "://" in str(value) and not _JWKS_URL.fullmatch(str(value)):
        return "is neither a file nor an https URL (http is for 127.0.0.1, [::1] and localhost only)"
    if name == "metrics_address" and value and not _ADDRESS.fullmatch(str(value)):
        return "is no host and port such as 127.0.0.1:9100 or [::1]:9100"
    return _fault_of_callers(name, str(value))


def _fault_of_callers(name: str, text: str) -> str | None:
    """What is wrong with a text that says who may call, and how often."""
    if name == "trusted_proxies" and not _are_networks(text):
        return "is no list of networks such as 10.0.0.0/8, 2001:db8::/32 and the word unix"
    if name in _RATES and not _RATE.fullmatch(text.lower()):
        return "is no rate: write 600/min, 20/s, 50/10s or 10000/h, or off for none"
    return None


def host_and_port(address: str) -> tuple[str, int]:
    """Return the two of an address that is one.

    >>> host_and_port("[::1]:9100")
    ('::1', 9100)
    """
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _are_networks(text: str) -> bool:
    """Whether a text is a list, perhaps empty, of networks without host bits, and the word `unix`."""
    words = (word.strip() for word in text.split(","))
    try:
        for word in words:
            if word and word != "unix":
                ip_network(word)
    except ValueError:
        return False
    return True


def _are_origins(text: str) -> bool:
    """Whether a text is `*` alone, or origins: browsers send small letters, no default port and no slash behind."""
    words = [word.strip() for word in text.split(",")]
    return words == ["*"] or all(is_origin(word) for word in words)


def is_origin(text: str) -> bool:
    """Tell whether a text is an origin as browsers send it.

    >>> is_origin("https://app.example.com"), is_origin("http://localhost:3000"), is_origin("https://A.example/")
    (True, True, False)
    """
    port = {"http": ":80", "https": ":443"}.get(text.partition(":")[0], " ")
    return bool(_ORIGIN.fullmatch(text)) and not text.endswith(port)


def _missing_beside(given: Mapping[str, Any]) -> list[str]:
    """What is wrong with settings that only make sense together."""
    if not given.get("jwt_keys"):
        return []
    beside = [name for name in ("jwt_issuer", "jwt_audience") if not given.get(name)]
    return [f"{PREFIX}{name.upper()}: must be given with {PREFIX}JWT_KEYS" for name in beside]


def _is_outside(value: object, least: float | None, most: float | None) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if not math.isfinite(value):
        return True
    return (least is not None and value < least) or (most is not None and value > most)


_TYPE_NAMES: Final = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})


def _converted(raw: object, default: object) -> object:
    text = str(raw).strip()
    if isinstance(default, bool):
        if text.lower() not in _TRUE | _FALSE:
            raise ValueError(text)
        return text.lower() in _TRUE
    if isinstance(default, int):
        return int(text)
    if isinstance(default, float):
        return float(text)
    return text


def database_address(url: str) -> str:
    """Return a database URL without its password, fit for a message or a log."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"
