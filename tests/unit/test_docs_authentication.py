"""The snippets of docs/authentication.md sign as the gateway checks, and its test vectors are right."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from gateway.security.signatures import sent_signature, signature_of, signed_text
from tests.support.app import ROOT

TEXT = (ROOT / "docs" / "authentication.md").read_text(encoding="utf-8")
SNIPPETS: dict[str, str] = dict(re.findall(r"```(python|sh|php)\n(.*?)```", TEXT, re.DOTALL))
VECTORS = re.findall(r"^\| (GET|POST) \| `(\S+)` \| (?:`(.+?)` )?\| `([0-9a-f]{64})` \|$", TEXT, re.MULTILINE)
SECRET = re.search(r"With the secret `(gws_\w+)` and the timestamp `(\d+)`", TEXT)
COMMANDS = {"python": (sys.executable,), "sh": ("bash",), "php": ("php", "-d", "allow_url_fopen=1")}


@dataclass(slots=True)
class Heard:
    """A server that notes, of each request, what was sent beside what its signature should be."""

    secret: str
    url: str = ""
    targets: list[tuple[str, str, bytes]] = field(default_factory=list)
    verdicts: list[bool] = field(default_factory=list)

    def hear(self, method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        sent = sent_signature(headers)
        path, _, query = target.partition("?")
        self.targets.append((method, target, body))
        text = signed_text(method, path.encode(), query.encode(), body, sent.timestamp if sent else b"")
        self.verdicts.append(sent is not None and sent.value == signature_of(self.secret, text))


@pytest.fixture
def server() -> Iterator[Heard]:
    """A server that hears."""
    heard = Heard("gws_0123456789")

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
            heard.hear(self.command, self.path, headers, body)
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"yes")

        do_GET = do_POST = answer  # noqa: N815  # the names are the library's

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        heard.url = f"http://127.0.0.1:{listener.server_port}"
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield heard
        listener.shutdown()
        thread.join()


def test_the_vectors_are_right() -> None:
    """A client in any language can be held against them."""
    assert SECRET is not None
    assert len(VECTORS) == 2
    for method, target, body, signature in VECTORS:
        path, _, query = target.partition("?")
        text = signed_text(method, path.encode(), query.encode(), body.encode(), SECRET[2].encode())
        assert signature_of(SECRET[1], text).hex() == signature


@pytest.mark.parametrize("language", ["python", "sh", "php"])
def test_a_snippet_signs_a_read_and_a_write(server: Heard, tmp_path: Path, language: str) -> None:
    """Run as it stands in the documentation, with its variables in the environment."""
    command = COMMANDS[language]
    needed = (command[0], "openssl", "curl") if language == "sh" else command[:1]
    missing = [name for name in needed if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    script = tmp_path / f"snippet.{language}"
    script.write_text(SNIPPETS[language], encoding="utf-8")
    given = {"TOKEN": "gw_live_x", "SECRET": server.secret, "GATEWAY": server.url, "no_proxy": "*"}
    done = subprocess.run(
        (*command, str(script)), env={**os.environ, **given}, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout.split()) in ((0, ["yes", "yes"]), (0, ["yesyes"])), done.stderr
    assert server.targets == [
        ("GET", "/api/v1/invoices?filter%5Bstatus%5D=2", b""),
        ("POST", "/api/v1/leads", b'{"name": "Ada"}'),
    ]
    assert server.verdicts == [True, True]
