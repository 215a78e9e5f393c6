"""Summaries -> statements: numbers over the rows that many parents have through one relationship, by one statement."""

from __future__ import annotations

import sqlalchemy as sa

from gateway.catalog.model import Catalog
from gateway.query.plan import Summary
from gateway.sql.dialects import render
from gateway.sql.groups import currencies_of, field_decoders
from gateway.sql.read import plan_scope, where_of
from gateway.sql.statement import Statement
from gateway.sql.ties import among, tie_of


def compile_summary(catalog: Catalog, summary: Summary, parents: int) -> Statement:
    """Return the statement of the numbers over the rows of a number of parents, one row for each that has any.

    Its links are the parents' references. First come the metrics, then what tells the parent, then the number
    of currencies.
    """
    plan = summary.plan
    scope = plan_scope(catalog, plan)
    tie = tie_of(catalog, summary.relationship, scope)
    where = (among(tie.references, parents), *tie.guards, *where_of(scope, plan.condition))
    # As what is shown: a sum over further rows is looked up for these rows, and not worked out for all there are.
    cells = [*(scope.shown(metric) for metric in plan.metrics), *tie.references]
    currencies = None
    if plan.currency is not None:
        currencies = len(cells)
        cells.append(currencies_of(scope, plan.currency))
    query = sa.select(*cells).select_from(tie.joined(scope.joined())).where(*where).group_by(*tie.references)
    text, parameters = render(query, catalog.dialect)
    return Statement(
        text,
        parameters,
        tuple(metric.name for metric in plan.metrics),
        field_decoders(catalog, plan, plan.metrics),
        reference=tuple(range(len(plan.metrics), len(plan.metrics) + len(tie.references))),
        currencies=currencies,
    )
