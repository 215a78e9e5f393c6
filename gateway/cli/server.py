"""Running the ASGI server: the listening socket, one worker or several, signals.

The socket is opened here, before anything slow, so that a taken port is a message
and not a log line of a worker. Workers get their settings through the environment.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Final

from gateway.cli.environment import open_state
from gateway.errors import ConfigurationError, GatewayError, InternalError
from gateway.settings import Settings, load_settings

BACKLOG: Final = 2_048


def make_app() -> Any:
    """Return the application of one worker; the server calls this in each.

    The store is there, for the launcher has opened it. A worker that takes another's place when the store has
    gone must not make an empty one, in which no token would be known.

    Raises:
        SystemExit: there can be none, and the log says why.
    """
    from uvicorn.config import STARTUP_FAILURE  # noqa: PLC0415  # loaded by workers only

    from gateway.cli.workers import cannot_start  # noqa: PLC0415  # as above
    from gateway.web.app import create_app  # noqa: PLC0415  # as above

    try:
        return create_app(load_settings(os.environ), must_exist=True)
    except GatewayError as error:
        logging.getLogger("gateway").error("%s", cannot_start(error))
        sys.exit(STARTUP_FAILURE)


@contextmanager
def deaf_to_hangups() -> Iterator[None]:
    """Return a context in which SIGHUP does nothing, until `run` listens: nothing to reload is loaded yet."""
    if not hasattr(signal, "SIGHUP"):
        yield
        return
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket; port 0 takes any free one.

    Raises:
        ConfigurationError: the address cannot be used; the message says why and what to do.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ConfigurationError(f"{host} is no address of this machine: set GATEWAY_HOST or --host.") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Two servers may bind one port as long as neither listens; this one does, so the second is told.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(_reason(error, host, port)) from error
    listener.set_inheritable(True)
    return listener


def address_of(listener: socket.socket) -> str:
    """Return where a socket can be reached, as the start of a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(settings: Settings, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Serve until a signal ends it; ``settings`` must be what `load_settings` finds in this process's environment.

    ``announce`` is called when nothing but the workers themselves can fail any more.

    Raises:
        ConfigurationError: GATEWAY_METRICS_ADDRESS cannot be listened on, or tracing is not usable.
        InternalError: a worker failed to start, and has logged why.
    """
    from gateway.cli.workers import GatewayServer, Supervisor, make_config  # noqa: PLC0415  # heavy, only for serving
    from gateway.web.logs import configure_logging  # noqa: PLC0415  # as above
    from gateway.web.metrics_listener import start_metrics  # noqa: PLC0415  # as above
    from gateway.web.tracing import check_tracing  # noqa: PLC0415  # as above

    configure_logging(settings.log_level)
    check_tracing(settings)
    metrics = start_metrics(settings)
    config = make_config("gateway.cli.server:make_app", settings, BACKLOG)
    _hear_hangups(settings)
    announce()
    # A server that was asked to stop closes everything and then raises the signal again, which is no failure.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if settings.workers > 1:
            supervisor = Supervisor(config, listener, settings.drain_s, lambda: _bump(settings))
            supervisor.run()
            if supervisor.has_failed:
                raise _not_started()
        else:
            GatewayServer(config, settings.drain_s).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    except SystemExit as ended:
        if ended.code:
            raise _not_started() from None
    finally:
        listener.close()
        metrics.close()


def _hear_hangups(settings: Settings) -> None:
    """Note SIGHUP in the store until the server listens to it itself: a worker that begins follows what is there."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: Thread(target=_bump, args=(settings,), daemon=True).start())


def _bump(settings: Settings) -> None:
    """Ask every worker for a reload; a store that is away is told, and ends nothing."""
    try:
        with open_state(settings, must_exist=True) as state:
            state.generation.bump()
    except GatewayError as error:
        logging.getLogger("gateway").error("no reload: %s", error)


def _not_started() -> InternalError:
    return InternalError("internal", "A worker could not start: the lines above say why.")


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use: stop what listens there, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs privileges this user lacks: choose one above 1023 with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: set GATEWAY_HOST or --host."
    return f"Cannot listen on {host}, port {port}: {error.strerror or error}."
