"""The files of `examples/deploy` name settings that exist, fit each other, and are accepted by whom they are for."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from gateway.settings import PREFIX, Settings, load_settings, setting_rows

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "examples" / "deploy"
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
VARIABLES = {row.variable for row in setting_rows()}


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def environment(*, with_comments: bool = False) -> Mapping[str, str]:
    """Return the variables of the environment file, those that are commented out too."""
    sign = "#?" if with_comments else ""
    return dict(re.findall(rf"^{sign}(GATEWAY_\w+)=(.*)$", text_of("gateway.env"), re.MULTILINE))


def unit() -> list[tuple[str, str]]:
    """Return the directives of the systemd unit, in order; some may stand more than once."""
    return re.findall(r"^(\w+)=(.*)$", text_of("perfex-gateway.service"), re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_variable_is_a_setting(path: Path) -> None:
    """A name that the gateway does not know would end its start."""
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", path.read_text(encoding="utf-8")))

    assert named <= VARIABLES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_introduced(path: Path) -> None:
    """The directory's README says what each is for."""
    assert path.name == "README.md" or f"`{path.name}`" in text_of("README.md")


def test_the_environment_file_can_be_started_with() -> None:
    """As it is, and with everything that is commented out filled in as shown."""
    pepper = {"GATEWAY_TOKEN_PEPPER": "0" * 64}
    chosen = load_settings(environment())
    full = load_settings({**environment(with_comments=True), **pepper})

    assert chosen.database_url.startswith("mysql://")
    assert full.cors_origins
    assert full.state_url


def test_what_the_environment_file_says_of_defaults_is_so() -> None:
    """Where it gives no value of a server's own, the value is the default."""
    own = {"database_url", "whitelist", "state_path", "workers", "trusted_proxies"}
    chosen, default = load_settings(environment()), Settings()
    differing = {row.name for row in setting_rows() if getattr(chosen, row.name) != getattr(default, row.name)}

    assert differing == own


def test_the_unit_waits_longer_than_the_gateway_takes_to_stop() -> None:
    """Else requests in flight would be cut by SIGKILL."""
    chosen = load_settings(environment())
    directives = dict(unit())

    assert int(directives["TimeoutStopSec"]) > chosen.drain_s + chosen.stop_wait_s
    assert (directives["KillSignal"], directives["KillMode"]) == ("SIGTERM", "mixed")
    assert directives["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert directives["Restart"] == "always"  # an end by a signal such as SIGHUP counts as clean


def test_the_unit_gives_away_nothing_it_need_not() -> None:
    """No new privileges, a system that is read-only, and one directory that is its own."""
    directives = dict(unit())

    assert directives["NoNewPrivileges"] == "yes"
    assert directives["ProtectSystem"] == "strict"
    assert directives["CapabilityBoundingSet"] == ""
    assert directives["User"] == directives["Group"] == "perfex-gateway"
    assert load_settings(environment()).state_path.startswith(f"/var/lib/{directives['StateDirectory']}/")
    assert directives["EnvironmentFile"] == "/etc/perfex-gateway/gateway.env"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """Every directive is known and has a value it can have; the program and its user are stood in for."""
    copy = tmp_path / "perfex-gateway.service"
    words = text_of("perfex-gateway.service").replace("/opt/perfex-gateway/bin/gateway", "/bin/true")
    copy.write_text(re.sub(r"^(User|Group)=.*", r"\1=root", words, flags=re.MULTILINE))

    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)

    complaints = [line for line in done.stderr.splitlines() if copy.name in line]
    assert (complaints, done.returncode) == ([], 0), done.stderr


def test_the_image_says_nothing_of_where_packages_come_from() -> None:
    """That is for the machine that builds it; packages are taken by their hashes."""
    words = text_of("Containerfile")
    installs = re.findall(r"pip install (.*)", words)

    assert "://" not in words.replace("http://127.0.0.1", "")
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    assert re.findall(r"^FROM (\S+)", words, re.MULTILINE) == ["python:3.13-slim"] * 2


def test_what_the_image_copies_is_there() -> None:
    """Paths are those of this repository; nothing but what the package is made of goes in."""
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text_of("Containerfile"), re.MULTILINE)
              for word in line.split()]  # fmt: skip

    assert [word for word in copied if not (ROOT / word).exists()] == []
    assert not {".", "tests", "benchmarks"} & set(copied)


def test_the_image_runs_as_nobody_in_particular() -> None:
    """By number, so that whoever runs it can see that it is not root."""
    users = re.findall(r"^USER (.*)$", text_of("Containerfile"), re.MULTILINE)

    assert users == ["10001:10001"]
    assert "--uid 10001" in text_of("Containerfile")


def test_the_composed_service_can_write_nothing_but_its_state() -> None:
    """A read-only root, no capabilities, and more time to stop than the gateway takes."""
    service = yaml.safe_load(text_of("compose.yaml"))["services"]["gateway"]
    given = {name: value for name, value in service["environment"].items() if not value.startswith("${")}
    chosen = load_settings(given)

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert int(service["stop_grace_period"].removesuffix("s")) > chosen.drain_s + chosen.stop_wait_s
    assert service["volumes"] == ["state:/var/lib/perfex-gateway"]
    assert service["build"]["dockerfile"] == "examples/deploy/Containerfile"


def test_proxies_leave_limits_and_waiting_to_the_gateway() -> None:
    """They take bodies as large, wait as long, and give idle connections up first."""
    nginx, caddy, chosen = text_of("nginx.conf"), text_of("Caddyfile"), Settings()

    assert int(_number(r"client_max_body_size\s+(\d+)m", nginx)) * 2**20 > chosen.max_bulk_body_bytes
    assert int(_number(r"max_size (\d+)MB", caddy)) * 10**6 > chosen.max_bulk_body_bytes
    assert int(_number(r"proxy_read_timeout (\d+)s", nginx)) > chosen.export_limit_s
    assert int(_number(r"large_client_header_buffers \d+ (\d+)k", nginx)) * 1024 > chosen.max_url_bytes
    assert int(_number(r"keepalive_timeout (\d+)s", nginx)) < chosen.keep_alive_s
    assert int(_number(r"keepalive (\d+)s", caddy)) < chosen.keep_alive_s


def _number(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, pattern
    return found[1]


NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@pytest.mark.skipif(NGINX is None or shutil.which("openssl") is None, reason="nginx or openssl is not installed")
def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    """With a certificate of the test's own."""
    key, certificate = tmp_path / "api.key", tmp_path / "api.crt"
    certify = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=api.example.com"
    command = ["openssl", *certify.split(), "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, capture_output=True, check=True)
    site = text_of("nginx.conf").replace("/etc/ssl/api.example.com", str(tmp_path / "api"))
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/nginx.pid; error_log stderr; events {{}} http {{ access_log off;\n{site}\n}}\n")
    assert NGINX is not None

    done = subprocess.run(
        [NGINX, "-t", "-c", str(whole), "-p", str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
