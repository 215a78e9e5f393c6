"""What answers without a token: health, and the index of the documentation.

Nothing here shows a database value; the index says how to begin and lists every
error with its meaning, so that a problem's ``type`` leads somewhere.
"""

from __future__ import annotations

from html import escape
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway import __version__
from gateway.errors import FIELD_CODES, REGISTRY, ErrorKind, NotFoundError
from gateway.web.health import READY, Health
from gateway.web.replies import ERRORS_PATH

_CSP: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c2733}"
    "code,pre{background:#f1f4f7;border-radius:4px;padding:.1rem .3rem}pre{padding:.8rem;overflow-x:auto}"
    "table{border-collapse:collapse}td,th{border-bottom:1px solid #d8dee4;padding:.3rem .6rem;text-align:left}"
)


def json_response(value: object, status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(orjson.dumps(value), status, media_type="application/json")


class PublicPages:
    """The handlers of the public paths."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def health(self, request: Request) -> Response:
        """Answer while the process lives."""
        return json_response({"status": "ok"})

    async def readiness(self, request: Request) -> Response:
        """Answer 200 when requests can be served now, else 503; what is not as it should be is named in either case."""
        report = await self._health.report()
        return json_response(report, 200 if report["status"] == READY else 503)

    async def documentation(self, request: Request) -> Response:
        """Show how to begin."""
        rows = "".join(
            f'<tr><td><a href="{ERRORS_PATH}/{kind.code}"><code>{kind.code}</code></a></td>'
            f"<td>{_statuses(kind)}</td><td>{escape(kind.summary)}</td></tr>"
            for kind in REGISTRY.values()
            if kind.code != "configuration"
        )
        return _page("API documentation", f"{_BEGINNING}<h2>Errors</h2><table>{rows}</table>")

    async def error(self, request: Request) -> Response:
        """Show what one error means."""
        kind = REGISTRY.get(request.path_params["code"])
        if kind is None:
            raise NotFoundError("route_unknown", "There is no error of this code.")
        codes = "".join(
            f"<tr><td><code>{code}</code></td><td>{escape(text)}</td></tr>" for code, text in FIELD_CODES.items()
        )
        more = f"<h2>Codes of single fields</h2><table>{codes}</table>" if kind.code == "fields_invalid" else ""
        body = f"<p>HTTP status {_statuses(kind)}. {escape(kind.summary)}</p>{more}"
        return _page(f"{kind.title} ({kind.code})", body + '<p><a href="/api_docs">All errors</a></p>')


def _statuses(kind: ErrorKind) -> str:
    return " or ".join(map(str, kind.statuses))


def _page(title: str, body: str) -> Response:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}<footer><p>Perfex gateway {__version__}</p></footer></body></html>"
    )
    return Response(text, media_type="text/html", headers={"Content-Security-Policy": _CSP})


_BEGINNING: Final = """
<p>Every table the administrator has opened is a resource below <code>/api/v1</code>.
Send your token as <code>Authorization: Bearer …</code>, <code>Authtoken</code> or <code>X-API-Key</code>.</p>
<table>
<tr><td><code>GET /api/v1</code></td><td>every resource the token may use</td></tr>
<tr><td><code>GET /api/v1/invoices</code></td><td>a page of rows</td></tr>
<tr><td><code>GET /api/v1/invoices/42</code></td><td>one row, with links to what it is related to</td></tr>
<tr><td><code>GET /api/v1/clients/12/invoices</code></td><td>the rows a row is related to</td></tr>
<tr><td><code>POST /api/v1/leads</code></td><td>a new row, from JSON or a form</td></tr>
<tr><td><code>PATCH /api/v1/leads/7</code></td><td>change the given fields</td></tr>
<tr><td><code>DELETE /api/v1/leads/7</code></td><td>delete a row</td></tr>
</table>
<h2>Choosing rows</h2>
<pre>?filter[status]=2&amp;filter[total.gte]=1000&amp;filter[duedate.lt]=@today
&amp;sort=-total,duedate&amp;fields=id,total,duedate&amp;page=3&amp;per_page=50</pre>
"""
