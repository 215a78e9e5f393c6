"""Running the ASGI server: the listening socket, one worker or several, signals.

The socket is opened here, before anything slow, so that a taken port is a message
and not a log line of a worker. Workers get their settings through the environment.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import ConfigurationError, InternalError
from gateway.settings import Settings, load_settings
from gateway.state.store import StateStore

if TYPE_CHECKING:
    from uvicorn import Config

GRACE_S: Final = 30
"""How long requests in flight may take after a signal to stop; exports and statements have shorter limits."""

BACKLOG: Final = 2_048


def make_app() -> Any:
    """Return the application of one worker; the server calls this in each."""
    from gateway.web.app import create_app  # noqa: PLC0415  # loaded by workers only

    return create_app(load_settings(os.environ))


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


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve until a signal ends it; ``settings`` must be what `load_settings` finds in this process's environment.

    Raises:
        InternalError: a worker failed to start, and has logged why.
    """
    import uvicorn  # noqa: PLC0415  # a heavy import, and only for serving

    from gateway.web.logs import configure_logging  # noqa: PLC0415  # as above

    configure_logging(settings.log_level)
    config = uvicorn.Config(
        "gateway.cli.server:make_app",
        factory=True,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        backlog=BACKLOG,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_config=None,
        log_level=settings.log_level,
        timeout_graceful_shutdown=GRACE_S,
    )
    # A server that was asked to stop closes everything and then raises the signal again, which is no failure.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if settings.workers > 1:
            _run_workers(config, listener, settings.state_path)
        else:
            uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    except SystemExit as ended:
        if ended.code:
            raise _not_started() from None
    finally:
        listener.close()


def _run_workers(config: Config, listener: socket.socket, state_path: str) -> None:
    from uvicorn.config import STARTUP_FAILURE  # noqa: PLC0415  # as above
    from uvicorn.supervisors import Multiprocess  # noqa: PLC0415  # as above

    class Supervisor(Multiprocess):
        """Keeps the workers alive; SIGHUP means reload, as it does with one worker, not new processes."""

        def handle_hup(self) -> None:
            with StateStore.open(state_path) as state:
                state.generation.bump()

    supervisor = Supervisor(config, [listener])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise _not_started()


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
