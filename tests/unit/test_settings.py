"""Settings: where they come from, what is refused, and that each is documented."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.security.rates import parse_rate
from gateway.settings import Settings, database_address, load_settings, setting_rows

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def default_text(value: object) -> str:
    if value == "":
        return "none"
    return str(value).lower() if isinstance(value, bool) else f"`{value}`"


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ)
    return caught.value.problems


def test_every_setting_is_documented_as_it_is() -> None:
    """Variable, default and meaning, in the same order."""
    lines = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `GATEWAY_")]

    assert lines == [f"| `{row.variable}` | {default_text(row.default)} | {row.summary} |" for row in setting_rows()]


def test_without_anything_the_defaults_hold() -> None:
    """And variables of other programs are not looked at."""
    assert load_settings({"HOME": "/root", "PATH": "/bin"}) == Settings()


def test_the_environment_is_read_and_converted() -> None:
    """Text becomes the type of the default."""
    found = load_settings({"GATEWAY_PORT": " 9000 ", "GATEWAY_POOL_WAIT_S": "0.5", "GATEWAY_SERVER_TIMING": "Yes"})

    assert (found.port, found.pool_wait_s, found.server_timing) == (9000, 0.5, True)


@pytest.mark.parametrize("given", ["*", "https://a.example", "http://localhost:3000, capacitor://localhost"])
def test_origins_are_taken_as_browsers_send_them(given: str) -> None:
    """Any, or a list."""
    assert load_settings({"GATEWAY_CORS_ORIGINS": given}).cors_origins == given


@pytest.mark.parametrize(
    "keys", ["https://idp.example/keys", "http://127.0.0.1:8080/k", "http://[::1]/k", "http://localhost", "keys.json"]
)
def test_keys_of_jwts_come_over_tls_from_this_machine_or_from_a_file(keys: str) -> None:
    """Together with whose they are and for whom."""
    given = {"GATEWAY_JWT_KEYS": keys, "GATEWAY_JWT_ISSUER": "https://idp.example/", "GATEWAY_JWT_AUDIENCE": "crm"}

    assert load_settings(given).jwt_keys == keys


def test_keys_of_jwts_need_an_issuer_and_an_audience() -> None:
    """Else any JWT of the provider would do, for whomever it was made."""
    assert problems({"GATEWAY_JWT_KEYS": "keys.json"}) == (
        "GATEWAY_JWT_ISSUER: must be given with GATEWAY_JWT_KEYS",
        "GATEWAY_JWT_AUDIENCE: must be given with GATEWAY_JWT_KEYS",
    )


def test_a_pepper_stands_in_no_message() -> None:
    """Not even in the one that refuses it."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"GATEWAY_TOKEN_PEPPER": "a short secret"})

    assert "a short secret" not in str(caught.value)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """The file gives what the environment does not say."""
    file = tmp_path / "settings.yaml"
    file.write_text("port: 9000\nworkers: 4\nserver_timing: true\n", encoding="utf-8")
    found = load_settings({"GATEWAY_SETTINGS": str(file), "GATEWAY_PORT": "9001"})

    assert (found.port, found.workers, found.server_timing) == (9001, 4, True)


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    """A file of comments is fine."""
    file = tmp_path / "settings.yaml"
    file.write_text("# nothing yet\n", encoding="utf-8")

    assert load_settings({"GATEWAY_SETTINGS": str(file)}) == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("GATEWAY_PORT", "http", "GATEWAY_PORT: 'http' is not a whole number"),
        ("GATEWAY_PORT", "70000", "GATEWAY_PORT: 70000 is outside 0 to 65535"),
        ("GATEWAY_POOL_WAIT_S", "soon", "GATEWAY_POOL_WAIT_S: 'soon' is not a number"),
        ("GATEWAY_RELOAD_EVERY_S", "-1", "GATEWAY_RELOAD_EVERY_S: -1.0 is outside 0 to any"),
        ("GATEWAY_RELOAD_EVERY_S", "nan", "GATEWAY_RELOAD_EVERY_S: nan is outside 0 to any"),
        ("GATEWAY_POOL_WAIT_S", "inf", "GATEWAY_POOL_WAIT_S: inf is outside 0.01 to 300"),
        ("GATEWAY_PUBLIC_URL", "example", "GATEWAY_PUBLIC_URL: 'example' is no scheme and host"),
        ("GATEWAY_CORS_ORIGINS", "app.example", "GATEWAY_CORS_ORIGINS: 'app.example' is neither * nor a list of"),
        ("GATEWAY_CORS_ORIGINS", "https://a.example/", "GATEWAY_CORS_ORIGINS: 'https://a.example/' is neither"),
        ("GATEWAY_CORS_ORIGINS", "https://A.example", "GATEWAY_CORS_ORIGINS: 'https://A.example' is neither"),
        ("GATEWAY_CORS_ORIGINS", "https://a.example:443", "GATEWAY_CORS_ORIGINS: 'https://a.example:443' is neither"),
        ("GATEWAY_CORS_ORIGINS", "*, https://a.example", "GATEWAY_CORS_ORIGINS: '*, https://a.example' is neither"),
        ("GATEWAY_CORS_ORIGINS", "null", "GATEWAY_CORS_ORIGINS: 'null' is neither"),
        ("GATEWAY_TOKEN_PEPPER", "x" * 31, "GATEWAY_TOKEN_PEPPER: its value is shorter than 32 characters"),
        ("GATEWAY_JWT_KEYS", "http://idp.example/keys", "GATEWAY_JWT_KEYS: 'http://idp.example/keys' is neither a"),
        ("GATEWAY_JWT_KEYS", "http://127.0.0.1.example/", "GATEWAY_JWT_KEYS: 'http://127.0.0.1.example/' is neither"),
        ("GATEWAY_JWT_KEYS", "http://localhost@x/", "GATEWAY_JWT_KEYS: 'http://localhost@x/' is neither a file nor"),
        ("GATEWAY_JWT_KEYS", "file:///etc/keys", "GATEWAY_JWT_KEYS: 'file:///etc/keys' is neither a file nor an https"),
        ("GATEWAY_TIMEZONE", "Dubai", "GATEWAY_TIMEZONE: 'Dubai' is no time zone such as Asia/Dubai"),
        ("GATEWAY_SERVER_TIMING", "perhaps", "GATEWAY_SERVER_TIMING: 'perhaps' is not true or false"),
        ("GATEWAY_LOG_LEVEL", "loud", "GATEWAY_LOG_LEVEL: 'loud' is not one of debug, info, warning, error"),
        ("GATEWAY_DATABASE", "x", "unknown setting GATEWAY_DATABASE; did you mean GATEWAY_DATABASE_URL?"),
        ("GATEWAY_XYZZY", "x", "unknown setting GATEWAY_XYZZY"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(variable: str, value: str, complaint: str) -> None:
    """Nothing is ignored and nothing guessed."""
    (found,) = problems({variable: value})

    assert found.startswith(complaint)


def test_a_mistyped_name_gets_the_nearest_one() -> None:
    """In the spelling of the place where it stands."""
    assert problems({"GATEWAY_POOLSIZE": "3"}) == ("unknown setting GATEWAY_POOLSIZE; did you mean GATEWAY_POOL_SIZE?",)


def test_a_mistyped_name_in_the_file_names_the_file(tmp_path: Path) -> None:
    """And suggests the file's spelling."""
    file = tmp_path / "settings.yaml"
    file.write_text("poolsize: 3\n", encoding="utf-8")

    assert problems({"GATEWAY_SETTINGS": str(file)}) == (f"{file}: unknown setting poolsize; did you mean pool_size?",)


def test_networks_and_rates_are_in_the_list_too() -> None:
    """Beside the others, so that a start tells all that is wrong."""
    found = problems(
        {
            "GATEWAY_PORT": "x",
            "GATEWAY_TRUSTED_PROXIES": "10.0.0.1/8",
            "GATEWAY_RATE_LIMIT": "often",
            "GATEWAY_ADDRESS_RATE": "0/min",
            "GATEWAY_REFUSED_RATE": "5/week",
        }
    )

    assert [text.partition(":")[0] for text in found] == [
        "GATEWAY_PORT",
        "GATEWAY_ADDRESS_RATE",
        "GATEWAY_REFUSED_RATE",
        "GATEWAY_TRUSTED_PROXIES",
        "GATEWAY_RATE_LIMIT",
    ]


@pytest.mark.parametrize(
    "text", ["600/min", "50/10s", " 20 / S ", "1/d", "off", "OFF", "0", "", "0/s", "1/0s", "1/x", "x", "1", "-1/s"]
)
def test_a_rate_is_one_here_when_it_is_one_where_it_is_used(text: str) -> None:
    """The form is written twice, for settings stand below rates."""
    try:
        parse_rate(text)
    except ConfigurationError:
        assert problems({"GATEWAY_RATE_LIMIT": text})
    else:
        assert load_settings({"GATEWAY_RATE_LIMIT": text}).rate_limit == text.strip()


def test_all_mistakes_are_listed_at_once() -> None:
    """One start shows everything."""
    assert len(problems({"GATEWAY_PORT": "x", "GATEWAY_WORKERS": "0", "GATEWAY_NONE": "1"})) == 3


@pytest.mark.parametrize("content", ["- a list\n", "port: [\n", None])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: str | None) -> None:
    """Neither is one that cannot be read."""
    file = tmp_path / "settings.yaml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    (found,) = problems({"GATEWAY_SETTINGS": str(file)})

    assert found.startswith(f"{file}: ")


def test_variables_of_the_test_suite_are_no_settings() -> None:
    """They share the prefix and are left alone."""
    assert load_settings({"GATEWAY_TEST_DATABASE_URL": "mysql://x"}) == Settings()


def test_an_address_is_shown_without_user_and_password() -> None:
    """What is printed or logged holds no secret."""
    assert database_address("mysql://app:s%40fe@db.example:3307/crm?x=y") == "mysql://db.example:3307/crm"
    assert database_address("sqlite:////var/lib/crm.sqlite3") == "sqlite:////var/lib/crm.sqlite3"


def test_names_of_settings_say_their_units() -> None:
    """Numbers with a fraction are seconds, and say so."""
    assert [
        item.name for item in fields(Settings) if isinstance(item.default, float) and not item.name.endswith("_s")
    ] == []
