"""`/graphiql`: GraphiQL, for administrators, and the files that it is made of.

What comes in: requests that the stages let pass; a browser was asked there for the token (`security/credentials.py`)
and goes on sending it by itself. What goes out: one page, and files of this package; nothing of it holds a database
value or a token, and nothing is asked of any other host. What the page asks of `/api/v1/graphql` passes every
stage like any other request.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.errors import NotFoundError
from gateway.rest.preconditions import parse_precondition
from gateway.web.parameters import parameters_of

PATH: Final = "/graphiql"

_HERE: Final = Path(__file__).parent
_VENDORED: Final = _HERE / "vendor" / "graphiql"
_OWN: Final = _HERE / "static" / "graphiql"
_SCRIPT: Final = "text/javascript"
_STYLE: Final = "text/css"

FILES: Final[Mapping[str, tuple[Path, str]]] = {
    "graphiql.min.css": (_VENDORED, _STYLE),
    "start.css": (_OWN, _STYLE),
    "react.production.min.js": (_VENDORED, _SCRIPT),
    "react-dom.production.min.js": (_VENDORED, _SCRIPT),
    "graphiql.min.js": (_VENDORED, _SCRIPT),
    "start.js": (_OWN, _SCRIPT),
    "NOTICES.txt": (_VENDORED, "text/plain"),
}
"""Every file below `/graphiql/`: where it lies, and what it is; the page takes them in this order."""

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the editor positions its lines by style attributes
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""What the page may do: run scripts of the gateway's own, none of them inline or made of text, and ask it alone."""

_FRESH: Final = "private, no-cache"
"""The browser keeps a file but asks each time, so that a token that has ended opens nothing, and an upgrade is seen."""


def _page() -> str:
    # Relative addresses, so that it also works below a path of a proxy's.
    styles = "".join(f'<link rel="stylesheet" href="graphiql/{name}">' for name in FILES if name.endswith(".css"))
    scripts = "".join(f'<script src="graphiql/{name}" defer></script>' for name in FILES if name.endswith(".js"))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>GraphiQL</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f'{styles}{scripts}</head><body><div id="graphiql"><noscript>GraphiQL needs scripts, which are switched off in '
        "this browser.</noscript></div></body></html>"
    )


_PAGE: Final = _page().encode()


def graphiql_routes() -> list[Route]:
    """Return the routes of the page and its files."""
    return [Route(PATH, page, methods=["GET"]), Route(f"{PATH}/{{name}}", file, methods=["GET"])]


async def page(request: Request) -> Response:
    """Show GraphiQL."""
    parameters_of(request.scope, ())
    return _answer(request, _PAGE, "text/html", {"Content-Security-Policy": POLICY})


async def file(request: Request) -> Response:
    """Give one file.

    Raises:
        NotFoundError: ``route_unknown``.
    """
    name = request.path_params["name"]
    if name not in FILES:
        raise NotFoundError("route_unknown", "There is no such file.")
    parameters_of(request.scope, ())
    place, media_type = FILES[name]
    # A megabyte is read when it is asked for, not kept by every worker for the few who ever ask.
    content = await asyncio.to_thread((place / name).read_bytes)
    return _answer(request, content, media_type, {})


def _answer(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return the content, or 304 where the browser has it (RFC 9110, section 13.1.2)."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    carried = {"ETag": tag, "Cache-Control": _FRESH, **headers}
    given = parse_precondition(None, ",".join(request.headers.getlist("if-none-match")))
    if given is not None and given.is_known(tag):
        return Response(status_code=304, headers=carried)
    return Response(content, media_type=media_type, headers=carried)
