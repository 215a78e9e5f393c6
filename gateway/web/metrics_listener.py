"""What the launcher does for metrics: a directory for the workers, and a listener of its own that needs no token.

What the listener shows is what `/metrics` shows, at most a second old, whatever number of workers there is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir
from threading import Thread
from time import time
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, make_wsgi_app, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from gateway.errors import ConfigurationError
from gateway.settings import Settings, host_and_port
from gateway.web.metrics import DIRECTORY_VARIABLE, merged_metrics, read_workers

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


PREFIX: Final = "gateway-metrics-"
LEFT_S: Final = 600.0
"""Seconds since the last change of a directory that nobody uses any more; workers write into theirs every second."""


class MetricsHome:
    """The workers' directory, and the listener where there is one; `close` ends both."""

    def __init__(self) -> None:
        self._directory = TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-")
        self._server: WSGIServer | None = None
        self._thread: Thread | None = None

    @property
    def directory(self) -> str:
        """Where the workers write."""
        return self._directory.name

    @property
    def port(self) -> int:
        """The port that is listened on, 0 for none."""
        return self._server.server_port if self._server is not None else 0

    def listen(self, host: str, port: int) -> None:
        """Answer whoever asks at an address.

        Raises:
            OSError: the address cannot be used.
        """
        registry = CollectorRegistry()
        registry.register(_Workers(Path(self.directory)))
        self._server, self._thread = start_http_server(port, host, registry)
        self._server.set_app(_metrics_alone(make_wsgi_app(registry)))

    def close(self) -> None:
        """Stop listening, and take the directory away."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        os.environ.pop(DIRECTORY_VARIABLE, None)
        with suppress(OSError):
            self._directory.cleanup()


def start_metrics(settings: Settings) -> MetricsHome:
    """Make the workers' directory, which is new and so holds nothing of others, and listen where the settings say.

    To be called before the workers start: they inherit the directory's name through the environment.

    Raises:
        ConfigurationError: GATEWAY_METRICS_ADDRESS cannot be listened on.
    """
    sweep_left(Path(gettempdir()))
    home = MetricsHome()
    os.environ[DIRECTORY_VARIABLE] = home.directory
    if settings.metrics_address:
        try:
            home.listen(*host_and_port(settings.metrics_address))
        except OSError as error:
            home.close()
            raise ConfigurationError(
                f"Cannot listen on GATEWAY_METRICS_ADDRESS {settings.metrics_address}: {error.strerror or error}."
            ) from error
    return home


def sweep_left(directory: Path) -> None:
    """Remove this user's directories of launchers that were killed; those of others, and what is in use, stay."""
    for path in directory.glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = path.lstat()
            if path.is_dir() and not path.is_symlink() and found.st_uid == os.geteuid() and _is_left(path):
                rmtree(path, ignore_errors=True)


def _is_left(path: Path) -> bool:
    word = path.name.removeprefix(PREFIX).partition("-")[0]
    launcher = int(word) if word.isdecimal() else 0
    return time() - path.stat().st_mtime > LEFT_S and not (launcher and Path(f"/proc/{launcher}").exists())


def _metrics_alone(metrics: WSGIApplication) -> WSGIApplication:
    """What answers `/metrics`, and 404 for all else: whoever asks for health here must not be told that all is well."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            return metrics(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Only /metrics is served here.\n"]

    return answer


class _Workers(Collector):
    """The metrics of every process that writes into a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterator[Metric]:
        return merged_metrics(read_workers(self._directory))
