"""What hostile GraphQL documents cost: milliseconds of CPU each until they are refused, or ready to be translated.

`python -m benchmarks.hostile_documents` prints one line per document. The suite counts the same work; this is for a
look at a machine, after an upgrade of the library or a change of a limit. None should take 50 ms.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from typing import Final

from graphql import GraphQLSchema

from gateway.errors import GatewayError
from gateway.graphql.collecting import operation_of
from gateway.graphql.documents import Documents
from gateway.graphql.faults import DocumentError
from gateway.graphql.limits import Limits
from gateway.graphql.schema import build_schema
from gateway.graphql.vocabulary import Vocabulary
from tests.support.asking import ALL, context_of
from tests.support.catalogs import perfex_catalog

ROUNDS: Final = 3


def numbered(text: str, number: int) -> str:
    """Return a text so many times, with the number of each in place of ``#``."""
    return "".join(text.replace("#", str(each)) for each in range(number))


CHAIN: Final = numbered("fragment F# on Query { ...G# } fragment G# on Query { __typename }", 49)

DOCUMENTS: Final[Mapping[str, str]] = {
    "as in the specification": "{ invoices(filter: {status: 2, total_gte: 1000}, limit: 10)"
    " { id total duedate client { company email } } }",
    "20 deep": "{" + "invoices { client {" * 10 + "userid" + "} }" * 10 + "}",
    "1,000 aliases": "{" + numbered("a#: __typename ", 1_000) + "}",
    "circular fragments": numbered("fragment F# on Query { ...F# } ", 90) + "{ ...F0 }",
    "1 MB": "{ __typename #" + "x" * 1_000_000 + "\n}",
    "100,000 tokens": "{" + " a" * 100_000 + "}",
    "49,000 tokens": "{" + " a" * 49_000 + "}",
    "45,000 comments": "{ __typename " + "#\n" * 45_000 + "}",
    "3,900 comments": "{ __typename " + "#\n" * 3_900 + "}",
    "95,000 line breaks": "{ __typename " + "\n" * 95_000 + "}",
    "a string of 95 kB": '{ invoices(search: "' + "x" * 95_000 + '") { id } }',
    "a block of 30,000 lines": '{ invoices(search: """' + "\n x" * 30_000 + '""") { id } }',
    "quotes never closed": "{ a(" + '"\\' * 40_000,
    "a name of 95 kB": "{" + "x" * 95_000 + "}",
    "fragments that double": "{ ...F0 } fragment F90 on Query { __typename }"
    + "".join(f"fragment F{each} on Query {{ ...F{each + 1} ...F{each + 1} }}" for each in range(90)),
    "98 fragments": "{" + numbered("...F# ", 49) + "}" + CHAIN,
    "400 fragments": "{" + numbered("...F# ", 400) + "}" + numbered("fragment F# on Query { __typename }", 400),
    "100 operations": numbered("query Q# { __typename } ", 100),
    "790 operations": numbered("query Q# { __typename } ", 790),
    "80 operations of a fragment": numbered("query Q# ($a: Int) { ...F } ", 80)
    + "fragment F on Query {"
    + "invoices(limit: $a) { id }" * 150
    + "}",
    "990 variables": "query (" + numbered("$a#: Int ", 990) + ") { __typename }",
    "500 directives": "{ __typename" + " @skip(if: true)" * 500 + "}",
    "3,990 equal fields": "{" + " __typename" * 3_990 + "}",
    "1,990 equal fields": "{" + " __typename" * 1_990 + "}",
    "900 equal rows": "{" + "invoices { id } " * 900 + "}",
    "700 conflicts": "{ invoices {" + "a: id a: total " * 25 + "id " * 1_900 + "} }",
    "1,900 unknown fields": "{" + "zz " * 1_900 + "}",
    "a list of 3,900": "{ invoices(filter: {id_in: [" + "1 " * 3_900 + "]}) { id } }",
    "780 conditions": "{ invoices(filter: {or: [" + "{id: 1}" * 780 + "]}) { id } }",
    "the last condition wrong": "{ invoices(filter: {or: [" + "{id: 1}" * 780 + "{zz: 1}]}) { id } }",
    "97 conditions inside each other": "{ invoices(filter: " + "{not: " * 96 + "{id: 1}" + "}" * 96 + ") { id } }",
    "300 mutations": "mutation {" + "createInvoice(input: {}) { id } " * 300 + "}",
    "too many objects": "{ invoices {" + "client { invoices {" * 5 + "id" + "} }" * 5 + "} }",
    "types in circles": "{ __schema { types {" + "fields { type {" * 4 + "name" + "} }" * 4 + "} } }",
}


def cost(schema: GraphQLSchema, text: str) -> tuple[float, str]:
    """Return the milliseconds of one document that nobody has asked for before, and what became of it."""
    documents = Documents(schema, Limits(), 1)
    gc.collect()
    start = time.process_time()
    try:
        document = documents.read(text)
        name = document.operations[0].name
        operation_of(document, schema, name.value if name is not None else None, {}, documents.limits)
        said = "answered"
    except GatewayError as error:
        measured = dict(error.extensions) if isinstance(error, DocumentError) else {}
        said = f"{error.code} {' '.join(str(each) for each in measured.values())}"
    return (time.process_time() - start) * 1000, said


def main() -> None:
    """Print what each document costs, the least of some rounds."""
    schema = build_schema(Vocabulary(context_of(perfex_catalog(), ALL)))
    for name, text in DOCUMENTS.items():
        rounds = [cost(schema, text) for _ in range(ROUNDS)]
        print(f"{min(took for took, _ in rounds):7.1f} ms  {name:32} {rounds[0][1]}")


if __name__ == "__main__":
    main()
