"""``gateway check`` and ``gateway routes``: what the gateway believes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from gateway.catalog.model import Catalog, Relationship, Table
from gateway.cli.console import put, put_json, put_table, say
from gateway.cli.environment import database_options, settings_with
from gateway.query.access import Operation
from gateway.security.explain import refusal_of

if TYPE_CHECKING:
    from gateway.graphql.tables import Mangled

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@database_options
@_json_option
def check(as_json: bool, **options: object) -> None:
    """Hold the whitelist against the live database and print what follows from it.

    Shows what is exposed, hidden, unindexed, orphaned, unknown and not writable, and
    why. Exit code 1 when there are problems.
    """
    from gateway.catalog.report import as_dict, render_text, report  # noqa: PLC0415  # see the package's docstring
    from gateway.cli.loading import acting_staff, load  # noqa: PLC0415  # as above
    from gateway.graphql.vocabulary import everything  # noqa: PLC0415  # as above

    settings = settings_with(options)
    loaded = load(settings)
    staff = acting_staff(settings, loaded.catalog) if loaded.profile else None
    renamed = everything(loaded.catalog).mangled()
    found = report(loaded.catalog, loaded.reflection, loaded.exposure, loaded.problems, loaded.profile)
    if as_json:
        put_json({**as_dict(found), "acting_staff": staff, "graphql_names": [asdict(each) for each in renamed]})
    else:
        if renamed:
            put(_renamed_text(renamed))
        put(render_text(found).rstrip())
        if loaded.profile:
            put(f"Writes name staff {staff} where the token has none." if staff else _NOBODY_ACTS)
    if not found.is_usable:
        sys.exit(1)


@click.command()
@database_options
@_json_option
def routes(as_json: bool, **options: object) -> None:
    """List every path that is served: its methods, and whether it is public, needs a token or an administrator's.

    The stages that each request passes before it gets there are said beside the list.
    """
    from gateway.cli.loading import load_faultless  # noqa: PLC0415  # see the package's docstring
    from gateway.web.guards import guard_of  # noqa: PLC0415  # as above
    from gateway.web.pipeline import RECORDERS, STAGES  # noqa: PLC0415  # as above

    catalog = load_faultless(settings_with(options))
    listed = [*PAGES, *(route for table in catalog.exposed() for route in table_routes(table, catalog))]
    guarded = [(path, methods, guard_of(path), about) for path, methods, about in listed]
    if as_json:
        put_json([{"path": p, "methods": list(m), "needs": guard, "about": about} for p, m, guard, about in guarded])
    else:
        put_table(
            ("PATH", "METHODS", "NEEDS", "ABOUT"), [(p, " ".join(m), guard, about) for p, m, guard, about in guarded]
        )
    say(f"Each request passes {', '.join(stage.name for stage in (*RECORDERS, *STAGES))}, in this order.")


def _renamed_text(renamed: Sequence[Mangled]) -> str:
    """The names that GraphQL has otherwise, a line each."""
    lines = (f"  {each.resource}: {each.name} is {each.instead}{_place_text(each)}" for each in renamed)
    return "\n".join((f"Called otherwise in GraphQL ({len(renamed)})", *lines, ""))


def _place_text(renamed: Mangled) -> str:
    return f" ({renamed.place})" if renamed.place else ""


_NOBODY_ACTS: Final = (
    "Writes that must name a staff member answer 503: there is no active administrator. "
    "Set GATEWAY_STAFF_ID, or create tokens with --staff."
)

Route = tuple[str, tuple[str, ...], str]
"""A path, its methods, and what there is to know of it."""

_READING: Final = ("GET", "HEAD", "OPTIONS")
_LISTING: Final = ("GET", "HEAD", "QUERY", "OPTIONS")
_METHODS: Final[Mapping[Operation, tuple[str, ...]]] = {"update": ("PUT", "PATCH"), "delete": ("DELETE",)}


PAGES: Final[tuple[Route, ...]] = (
    ("/healthz", ("GET", "HEAD"), "the process lives"),
    ("/readyz", ("GET", "HEAD"), "requests can be served"),
    ("/api_docs", ("GET", "HEAD"), "how to begin"),
    ("/api_docs/errors/{code}", ("GET", "HEAD"), "what an error means"),
    ("/metrics", ("GET", "HEAD"), "for Prometheus"),
    ("/admin/reload", ("POST",), "read whitelist and database anew"),
    ("/admin/audit", ("GET", "HEAD"), "who did what"),
    ("/admin/tokens", ("GET", "HEAD", "POST"), "tokens"),
    ("/admin/tokens/{id}", ("GET", "HEAD", "DELETE"), "one token"),
    ("/admin/tokens/{id}/rotate", ("POST",), "its successor"),
    ("/admin/tokens/{id}/explain", ("GET", "HEAD"), "what it may do"),
    ("/graphiql", ("GET", "HEAD"), "GraphQL in a browser"),
    ("/graphiql/{name}", ("GET", "HEAD"), "a file of that page"),
    ("/api/me", ("GET", "HEAD"), "who the token is"),
    ("/api/v1", _READING, "every resource that the token may use"),
    ("/api/v1/auth/test", _READING, "who the token is"),
    ("/api/v1/graphql", ("GET", "HEAD", "POST", "OPTIONS"), "GraphQL; GET for queries only"),
)
"""What is served beside the resources of the catalog."""


def table_routes(table: Table, catalog: Catalog) -> tuple[Route, ...]:
    """Return the paths of one resource: its list, its rows and their relationships."""
    base = f"/api/v1/{table.resource}"
    also = f"also {', '.join(table.aliases)}" if table.aliases else ""
    creating = () if refusal_of("create", table) else ("POST",)
    routes: list[Route] = [(base, (*_LISTING, *creating), also), (f"{base}/query", ("POST",), "a query in a body")]
    if table.key:
        row = f"{base}/{{{','.join(column.name for column in table.key)}}}"
        changing = (method for word, methods in _METHODS.items() if not refusal_of(word, table) for method in methods)
        routes.append((row, (*_READING, *changing), ""))
        routes += [_edge_route(row, edge, catalog) for _, edge in sorted(table.relationships.items())]
    return tuple(routes)


def _edge_route(row: str, edge: Relationship, catalog: Catalog) -> Route:
    return (
        f"{row}/{edge.name}",
        _LISTING if edge.is_to_many else _READING,
        f"{'many' if edge.is_to_many else 'one'} of {catalog.table_of(edge).resource}",
    )
