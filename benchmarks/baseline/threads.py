"""The usual way: a thread per request, a select() built for each, pymysql, a count whenever a total is wanted."""

from __future__ import annotations

import os
from typing import Any

import orjson
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.baseline.serving import TABLE, columns, hello, serve
from benchmarks.shapes import LEAST_TOTAL, PER_PAGE, STATUS


def make_app() -> Starlette:
    """Return the application."""
    url = sa.make_url(os.environ["BENCH_DATABASE_URL"]).set(drivername="mysql+pymysql")
    engine = sa.create_engine(url, pool_size=16, max_overflow=0, isolation_level="AUTOCOMMIT")
    table = sa.Table(TABLE, sa.MetaData(), autoload_with=engine)
    names = columns()
    shown = [table.c[name] for name in names]

    def one(request: Request) -> Response:
        query = sa.select(*shown).where(table.c.id == int(request.path_params["key"]))
        with engine.connect() as connection:
            row = connection.execute(query).first()
        return _json({"data": dict(zip(names, row, strict=True)) if row else None})

    def many(request: Request) -> Response:
        least = float(request.query_params.get("least", LEAST_TOTAL))
        where = sa.and_(table.c.status == STATUS, table.c.total >= least)
        query = sa.select(*shown).where(where).order_by(table.c.id.desc()).limit(PER_PAGE)
        with engine.connect() as connection:
            rows = connection.execute(query).all()
            total = None
            if "total" in request.query_params:
                total = connection.execute(sa.select(sa.func.count()).select_from(table).where(where)).scalar()
        return _json({"data": [dict(zip(names, row, strict=True)) for row in rows], "total": total})

    return Starlette(routes=[Route("/", hello), Route("/one/{key}", one), Route("/list", many)])


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value, default=str), media_type="application/json")


if __name__ == "__main__":
    serve(make_app())
