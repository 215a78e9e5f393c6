"""A GraphQL server as a team writes it by hand, and with care: strawberry, a resolver per relationship, dataloaders.

Whatever is usually advised is done: async throughout, a pool of connections that are never opened twice, one
statement for all clients of a page and one for all their invoices (a window function cuts them in the database),
only the columns that the types have, documents parsed and validated once, answers written by orjson.
"""

from __future__ import annotations

import datetime
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import orjson
import sqlalchemy as sa
import strawberry
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from benchmarks.baseline.serving import hello, serve

POOL_SIZE = 16

INVOICES = sa.table(
    "tblinvoices",
    *(sa.column(name, sa.Integer) for name in ("id", "number", "currency", "status", "clientid")),
    sa.column("prefix", sa.String),
    *(sa.column(name, sa.Date) for name in ("date", "duedate")),
    *(sa.column(name, sa.Numeric(15, 2)) for name in ("subtotal", "total_tax", "total")),
)
CLIENTS = sa.table(
    "tblclients",
    *(sa.column(name, sa.Integer) for name in ("userid", "country")),
    *(sa.column(name, sa.String) for name in ("company", "vat", "city")),
)


@strawberry.type
class Client:
    userid: int
    country: int
    company: str | None
    vat: str | None
    city: str | None

    @strawberry.field
    async def invoices(self, info: strawberry.Info[Loaders, None], limit: int = 100) -> list[Invoice]:
        return await info.context.invoices_of(limit).load(self.userid)


@strawberry.type
class Invoice:
    id: int
    number: int
    currency: int
    status: int
    clientid: int
    prefix: str | None
    date: datetime.date
    duedate: datetime.date | None
    subtotal: Decimal
    total_tax: Decimal
    total: Decimal

    @strawberry.field
    async def client(self, info: strawberry.Info[Loaders, None]) -> Client | None:
        return await info.context.clients.load(self.clientid)


@strawberry.input
class InvoiceFilter:
    status: int | None = None
    total_gte: Decimal | None = None


class Loaders:
    """What one request brings along: a loader of clients, and one of their latest invoices for each limit."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.clients: DataLoader[int, Client | None] = DataLoader(self._clients)
        self._invoices: dict[int, DataLoader[int, list[Invoice]]] = {}

    def invoices_of(self, limit: int) -> DataLoader[int, list[Invoice]]:
        """Return the loader of so many invoices of each client."""

        async def load(keys: list[int]) -> list[list[Invoice]]:
            return await self._latest(keys, limit)

        if limit not in self._invoices:
            self._invoices[limit] = DataLoader(load)
        return self._invoices[limit]

    async def rows(self, query: sa.Select[Any]) -> Sequence[RowMapping]:
        """Return the rows of a query, by name."""
        async with self._engine.connect() as connection:
            result = await connection.execute(query)
            rows: Sequence[RowMapping] = result.mappings().all()
            return rows

    async def _clients(self, keys: list[int]) -> list[Client | None]:
        query = sa.select(*CLIENTS.c).where(CLIENTS.c.userid.in_(keys))
        found = {row["userid"]: Client(**row) for row in await self.rows(query)}
        return [found.get(key) for key in keys]

    async def _latest(self, keys: list[int], limit: int) -> list[list[Invoice]]:
        place = sa.func.row_number().over(partition_by=INVOICES.c.clientid, order_by=INVOICES.c.id.desc())
        ranked = sa.select(*INVOICES.c, place.label("place")).where(INVOICES.c.clientid.in_(keys)).subquery()
        shown = [ranked.c[column.name] for column in INVOICES.c]
        query = sa.select(*shown).where(ranked.c.place <= limit).order_by(ranked.c.clientid, ranked.c.place)
        found: dict[int, list[Invoice]] = defaultdict(list)
        for row in await self.rows(query):
            invoice = Invoice(**row)
            found[invoice.clientid].append(invoice)
        return [found[key] for key in keys]


@strawberry.type
class Query:
    @strawberry.field
    async def invoices(
        self,
        info: strawberry.Info[Loaders, None],
        filter: InvoiceFilter | None = None,  # noqa: A002  # the schema's name for it
        limit: int = 25,
    ) -> list[Invoice]:
        query = sa.select(*INVOICES.c).order_by(INVOICES.c.id.desc()).limit(limit)
        if filter is not None and filter.status is not None:
            query = query.where(INVOICES.c.status == filter.status)
        if filter is not None and filter.total_gte is not None:
            query = query.where(INVOICES.c.total >= filter.total_gte)
        return [Invoice(**row) for row in await info.context.rows(query)]

    @strawberry.field
    async def clients(self, info: strawberry.Info[Loaders, None], limit: int = 25) -> list[Client]:
        query = sa.select(*CLIENTS.c).order_by(CLIENTS.c.userid).limit(limit)
        return [Client(**row) for row in await info.context.rows(query)]


class Server(GraphQL[Loaders, None]):
    """The usual ASGI application, with a quick JSON encoder and loaders for each request."""

    engine: AsyncEngine

    async def get_context(self, request: Any, response: Any) -> Loaders:
        return Loaders(self.engine)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


def make_app() -> Starlette:
    """Return the application."""
    schema = strawberry.Schema(
        Query,
        config=StrawberryConfig(auto_camel_case=False),
        extensions=[ParserCache, ValidationCache],
    )
    server = Server(schema, graphql_ide=None)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        url = sa.make_url(os.environ["BENCH_DATABASE_URL"]).set(drivername="mysql+asyncmy")
        server.engine = create_async_engine(url, pool_size=POOL_SIZE, max_overflow=0, isolation_level="AUTOCOMMIT")
        yield
        await server.engine.dispose()

    return Starlette(routes=[Route("/", hello), Route("/graphql", server)], lifespan=lifespan)


if __name__ == "__main__":
    serve(make_app())
