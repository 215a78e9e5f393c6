"""The gateway behind nginx with the configuration of `examples/deploy`: TLS, addresses, limits, exports."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.app import PATIENCE_S, ROOT, RunningServer

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
CLIENT = "127.0.0.2"
"""Where the tests come from: another address than the proxy's, which is trusted."""

pytestmark = pytest.mark.skipif(
    NGINX is None or shutil.which("openssl") is None, reason="nginx or openssl is not installed"
)


@pytest.fixture(scope="module")
def proxied(crm_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, str]]:
    """A server, and the address of the nginx in front of it."""
    place = tmp_path_factory.mktemp("nginx")
    with RunningServer.started(crm_database, trusted_proxies="127.0.0.1/32") as server:
        process, base = _nginx(place, server.base.removeprefix("http://"))
        try:
            yield server, base
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _nginx(place: Path, upstream: str) -> tuple[subprocess.Popen[bytes], str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    certify = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=api.example.com"
    command = ["openssl", *certify.split(), "-keyout", str(place / "api.key"), "-out", str(place / "api.crt")]
    subprocess.run(command, capture_output=True, check=True)
    site = (ROOT / "examples" / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for old, new in (
        ("server 127.0.0.1:8000;", f"server {upstream};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("/etc/ssl/api.example.com", str(place / "api")),
    ):
        assert old in site
        site = site.replace(old, new)
    paths = "".join(
        f"{kind}_temp_path {place}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (place / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {place}/pid; error_log {place}/error.log; events {{}}\n"
        f"http {{ access_log off; {paths}\n{site}\n}}\n"
    )
    assert NGINX is not None
    process = subprocess.Popen([NGINX, "-c", str(place / "nginx.conf"), "-p", str(place)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return process, f"https://127.0.0.1:{port}"
        time.sleep(0.02)
    process.kill()
    raise AssertionError((place / "error.log").read_text())


def client(server: RunningServer, base: str) -> httpx2.AsyncClient:
    """Return a client that comes from `CLIENT` and takes the test's certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    transport = httpx2.AsyncHTTPTransport(local_address=CLIENT, verify=context)
    return httpx2.AsyncClient(base_url=base, headers=server.headers, transport=transport)


async def test_the_clients_address_is_the_one_that_nginx_saw(proxied: tuple[RunningServer, str]) -> None:
    """Whatever the client says of itself; and it came over TLS."""
    server, base = proxied
    forged = {"X-Forwarded-For": "203.0.113.9, 127.0.0.1", "X-Request-ID": "forged-1"}
    async with client(server, base) as asking:
        answer = await asking.get("/api/v1/invoices/1", headers=forged)
        async with asyncio.timeout(PATIENCE_S):
            while not (records := (await asking.get("/admin/audit?request_id=forged-1")).json()["data"]):
                await asyncio.sleep(0.1)

    assert (answer.status_code, records[0]["address"]) == (200, CLIENT)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_an_array_of_rows_as_large_as_the_gateway_takes_reaches_it(proxied: tuple[RunningServer, str]) -> None:
    """Its own refusal says what is wrong, not nginx's page."""
    server, base = proxied
    body = b"[" + b" " * 4_194_400 + b"]"
    async with client(server, base) as asking:
        answer = await asking.post("/api/v1/leads", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_long_url_reaches_the_gateway(proxied: tuple[RunningServer, str]) -> None:
    """Up to what it takes, and over that for its refusal."""
    server, base = proxied
    async with client(server, base) as asking:
        long = await asking.get(f"/api/v1/invoices?filter[number.in]={','.join(['1000001'] * 900)}&count=none")
        over = await asking.get(f"/api/v1/invoices?q={'x' * 9_000}")

    assert long.status_code == 200
    assert (over.status_code, over.json()["code"]) == (414, "uri_too_long")


async def test_an_export_comes_whole(proxied: tuple[RunningServer, str]) -> None:
    """In chunks, as it is read."""
    server, base = proxied
    async with client(server, base) as asking:
        answer = await asking.get("/api/v1/invoices.csv")
        page = (await asking.get("/api/v1/invoices?per_page=1")).json()

    assert sum(1 for _ in csv.reader(io.StringIO(answer.text))) == page["meta"]["total"] + 1


async def test_metrics_are_not_for_everybody(proxied: tuple[RunningServer, str]) -> None:
    """Not even with an administrator's token, from outside."""
    server, base = proxied
    async with client(server, base) as asking:
        assert (await asking.get("/metrics")).status_code == 404
