"""Chromium for tests: Debian's own, driven by Playwright, which downloads nothing.

`Browser.started` yields one browser; `Browser.visitor` somebody with nothing remembered: the pages, what they asked
for, and what went wrong in them. Nothing outside this machine can be reached by any of them.

``python -m tests.support.browser`` installs what is missing and prints the version that tests will use.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from playwright import async_api as playwright

from tests.support.mariadb import SYSTEM_PATH, NoServerError, install

DEBIAN_PACKAGE: Final = "chromium"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)
PATIENCE_MS: Final = 15_000


class NoBrowserError(Exception):
    """No usable browser: the message says what to install."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a page, and the status of its answer, 0 where there was none that the page could see."""

    method: str
    url: str
    status: int

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        return urlsplit(self.url).path


@dataclass(slots=True)
class Visitor:
    """Somebody at a browser with nothing remembered.

    ``complaints`` are errors and warnings of the console, scripts that failed, and what a
    Content-Security-Policy did not let be.
    """

    context: playwright.BrowserContext
    asked: list[Asked] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    has_left: bool = False

    async def page(self, url: str) -> playwright.Page:
        """Return a new page that has loaded."""
        page = await self.context.new_page()
        await page.goto(url)
        return page

    def hosts(self) -> set[str]:
        """Return the hosts that were asked for anything; addresses that hold their own data ask nobody."""
        return {one.host for one in self.asked if one.host}

    def listen(self) -> None:
        """Begin to note what happens; functions, for Playwright writes into the owner of a method that it is given."""

        def console(message: playwright.ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.complaints.append(f"{message.type}: {message.text}")

        async def finished(request: playwright.Request) -> None:
            try:
                answer = await request.response()
            except playwright.Error:
                if not self.has_left:
                    raise
                return
            self.asked.append(Asked(request.method, request.url, answer.status if answer else 0))

        self.context.on("console", console)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.context.on("requestfinished", finished)
        self.context.on("requestfailed", lambda request: self.asked.append(Asked(request.method, request.url, 0)))


@dataclass(frozen=True, slots=True)
class Browser:
    """A running browser."""

    inner: playwright.Browser

    @classmethod
    @asynccontextmanager
    async def started(cls) -> AsyncIterator[Self]:
        """Yield a browser on a user's directory of its own; end it and delete that afterwards.

        Raises:
            NoBrowserError: there is none, and it cannot be installed here.
        """
        binary = ensure_installed()
        playwright.expect.set_options(timeout=PATIENCE_MS)
        async with playwright.async_playwright() as driver:
            inner = await driver.chromium.launch(
                executable_path=binary, headless=True, chromium_sandbox=False, args=list(FLAGS)
            )
            try:
                yield cls(inner)
            finally:
                await inner.close()

    @asynccontextmanager
    async def visitor(self, gateway: str = "", token: str = "") -> AsyncIterator[Visitor]:
        """Yield somebody whose browser remembers nothing: no password, nothing stored, nothing cached.

        A token is what they type into the dialog that the gateway's challenge makes the browser show.
        """
        typed: playwright.HttpCredentials = {"username": "me", "password": token, "origin": gateway}
        context = await self.inner.new_context(
            viewport={"width": 1400, "height": 900}, http_credentials=typed if token else None
        )
        context.set_default_timeout(PATIENCE_MS)
        visitor = Visitor(context)
        visitor.listen()
        try:
            yield visitor
        finally:
            visitor.has_left = True  # what still arrives concerns nobody
            await context.close()


class Elsewhere(ThreadingHTTPServer):
    """A site of another origin; every page of it is blank, for scripts of tests to run in.

    ``asked`` are the paths that it was asked for.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _BlankPage)
        self.asked: list[str] = []

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """Yield a site that answers."""
        with cls() as site:
            thread = threading.Thread(target=site.serve_forever, daemon=True)
            thread.start()
            try:
                yield site
            finally:
                site.shutdown()
                thread.join()


class _BlankPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Elsewhere)
        self.server.asked.append(self.path)
        content = b"<!doctype html><title>Elsewhere</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002  # its name in the library
        pass


def find_binary() -> str | None:
    """Return the path of an installed browser."""
    return next((found for name in NAMES if (found := shutil.which(name, path=SYSTEM_PATH))), None)


def ensure_installed() -> str:
    """Return the path of the browser, installing Debian's package first when it is missing and we may.

    Raises:
        NoBrowserError: it is missing and cannot be installed here.
    """
    found = find_binary()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with (Path(tempfile.gettempdir()) / "gateway-chromium-install.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the suite's other processes want it too
            if find_binary() is None:
                try:
                    install(DEBIAN_PACKAGE)
                except NoServerError as failure:
                    raise NoBrowserError(str(failure)) from failure
        found = find_binary()
    if found is None:
        raise NoBrowserError(
            f"the browser tests need Chromium: install it ('apt-get install {DEBIAN_PACKAGE}' on Debian, as root)"
        )
    return found


def version(binary: str) -> str:
    """Return what the browser calls itself, such as ``Chromium 156.0.8078.79``."""
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\S+ [\d.]{5,}", done.stdout)
    return found[0] if found else done.stdout.strip()


def main() -> int:
    """Install the browser when it is missing and may be; print which one the tests will use."""
    try:
        print(f"browser tests: {version(ensure_installed())}")
    except NoBrowserError as failure:
        print(failure, file=sys.stderr)
        return 1 if os.environ.get("CI") else 0  # elsewhere its tests are skipped, and say why
    return 0


if __name__ == "__main__":
    sys.exit(main())
