"""A small GraphQL schema with the meanings of a real one, for what is about documents and not about tables."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from graphql import (
    FloatValueNode,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    IntValueNode,
    StringValueNode,
    ValueNode,
    build_schema,
)

from gateway.catalog.model import Table
from gateway.graphql.documents import Documents
from gateway.graphql.limits import Limits
from gateway.graphql.meaning import (
    MEANING,
    Change,
    Connection,
    Counted,
    Groups,
    Meaning,
    Nested,
    NestedNumbers,
    Numbers,
    Own,
    Row,
    Rows,
    Taken,
)
from tests.support.catalogs import perfex_catalog

SDL = """
directive @atomic on MUTATION
scalar Decimal
scalar JSON
enum Direction { ASC DESC }
type Query {
  invoices(filter: InvoiceFilter, sort: [InvoiceSort!], limit: Int, offset: Int): [Invoice!]
  invoices_by_key(id: Int!): Invoice
  invoices_connection(filter: InvoiceFilter, first: Int, after: String): InvoiceConnection
  invoices_aggregate(filter: InvoiceFilter): InvoiceNumbers
  invoices_groups(limit: Int): InvoiceGroups
}
type Mutation {
  createInvoice(input: InvoiceInput!, dryRun: Boolean = false): Invoice
  createInvoices(input: [InvoiceInput!]!): [Invoice!]
  updateInvoices(filter: InvoiceFilter!, input: InvoiceInput!, maxAffected: Int!): InvoiceUpdated
}
type Invoice {
  id: Int!
  total: Decimal
  client: Client
  payments(filter: InvoiceFilter, limit: Int): [Payment!]!
  payments_aggregate: InvoiceNumbers!
}
type Client { id: Int company: String invoices(limit: Int): [Invoice!]! }
type Payment { id: Int amount: Decimal invoice: Invoice }
type InvoiceNumbers { count: Int sum: Sums }
type Sums { total: Decimal }
type InvoiceConnection { totalCount: Int nodes: [Invoice!]! edges: [Edge!]! pageInfo: PageInfo! }
type Edge { cursor: String node: Invoice! }
type PageInfo { hasNextPage: Boolean! }
type InvoiceGroups { totalCount: Int nodes: [Group!]! }
type Group { count: Int sum: Sums key: Key }
type Key { status: Int }
type InvoiceUpdated { affected: Int rows: [Invoice!] }
input InvoiceFilter {
  id: Int id_in: [Int!] total_gte: Decimal and: [InvoiceFilter!] or: [InvoiceFilter!] not: InvoiceFilter
}
input InvoiceSort @oneOf { id: Direction total: Direction client: ClientSort }
input ClientSort @oneOf { company: Direction }
input InvoiceInput { total: Decimal data: JSON tags: [String] }
"""


@cache
def small_schema() -> GraphQLSchema:
    """Return the schema; every field has the meaning that the real one's would have."""
    schema = build_schema(SDL)
    catalog = perfex_catalog()
    invoices, clients, payments = (catalog.resources[name] for name in ("invoices", "clients", "payments"))
    meanings: dict[str, Meaning] = {
        "Query.invoices": Rows(invoices),
        "Query.invoices_by_key": Row(invoices, ("id",)),
        "Query.invoices_connection": Connection(invoices),
        "Query.invoices_aggregate": Numbers(invoices),
        "Query.invoices_groups": Groups(invoices),
        "Mutation.createInvoice": Change(invoices, "create", is_plural=False),
        "Mutation.createInvoices": Change(invoices, "create", is_plural=True),
        "Mutation.updateInvoices": Change(invoices, "update", is_plural=True),
        "Invoice.client": _nested(invoices, "client", clients),
        "Invoice.payments": _nested(invoices, "payments", payments),
        "Invoice.payments_aggregate": NestedNumbers(invoices.relationships["payments"], payments),
        "Client.invoices": _nested(clients, "invoices", invoices),
        "Payment.invoice": _nested(payments, "invoice", invoices),
        "InvoiceNumbers.count": Counted(),
        "InvoiceNumbers.sum": Taken("sum"),
        "Group.sum": Taken("sum"),
    }
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                field.extensions = {MEANING: meanings.get(f"{type_.name}.{name}", Own(name))}
    decimal = schema.type_map["Decimal"]
    assert isinstance(decimal, GraphQLScalarType)
    decimal.coerce_input_value = _decimal
    decimal.coerce_input_literal = _decimal_literal
    return schema


def small_documents(limits: Limits | None = None, kept: int = 10) -> Documents:
    """Return documents of the small schema."""
    return Documents(small_schema(), limits or Limits(), kept)


def _nested(table: Table, name: str, target: Table) -> Nested:
    return Nested(table.relationships[name], target)


def _decimal(value: Any) -> Any:
    return Decimal(value)


def _decimal_literal(node: ValueNode) -> Any:
    assert isinstance(node, IntValueNode | FloatValueNode | StringValueNode)
    return Decimal(node.value)
