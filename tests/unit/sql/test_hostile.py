"""No text that a client sends is ever part of a statement."""

from __future__ import annotations

from urllib.parse import quote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.query.aggregates import PlannedGroups
from gateway.query.metrics import FUNCTIONS
from gateway.query.operators import OPERATORS
from gateway.query.planner import PlannedRead
from gateway.sql.cache import StatementCache
from tests.support.asking import ask_any, crm, write

CRM = crm()
ATTACKS = ("' OR '1'='1", '"; DROP TABLE tblleads; --', "%s", "?", ":s0", "\\' OR 1=1 #", "`", "/*", "s0", "0x27", "\0")
_TEXTS = st.one_of(st.sampled_from(ATTACKS), st.text(st.characters(codec="utf-8"), min_size=1))
_TEXT_OPERATORS = sorted(name for name, operator in OPERATORS.items() if operator.operand in ("value", "text", "list"))


def texts(planned: PlannedRead | PlannedGroups) -> list[str]:
    """Return the texts of every statement that a read can lead to, compiled anew."""
    cache = StatementCache(CRM, 10, 0.25)
    found = [cache.of(planned.plan).text]
    found.extend(cache.embed(embed, 2).text for embed in planned.plan.embeds)
    if planned.count is not None:
        estimate = cache.estimate(planned.count)
        found.extend((cache.count(planned.count).text, estimate.text if estimate else ""))
    if planned.parent is not None:
        found.append(cache.read(planned.parent).text)
    return found


def same_text(template: str, hostile: str, harmless: str = "1") -> None:
    """Assert that two values in one place of a request give one statement, without either value."""
    try:
        asked = ask_any(CRM, template.format(quote(hostile, safe="")))
    except GatewayError:
        return
    found = texts(asked)
    assert found == texts(ask_any(CRM, template.format(harmless)))
    is_word = hostile.isidentifier()  # one like "city" is a column's name in the text, whatever is asked
    assert is_word or len(hostile) < 4 or not any(hostile in text for text in found)


@given(st.sampled_from(_TEXT_OPERATORS), _TEXTS)
def test_a_filter_on_text(operator: str, hostile: str) -> None:
    """Whatever the operator; a list has as many items as it has commas."""
    if operator in ("in", "nin"):
        hostile = hostile.replace("\\", "\\\\").replace(",", "\\,")
    same_text(f"clients?filter[company.{operator}]={{}}", hostile)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "template",
    [
        "invoices?filter[id]={}",
        "invoices?filter[total.gte]={}",
        "invoices?filter[duedate.lt]={}",
        "invoices?filter[is_overdue]={}",
        "clients?filter[email]={}",
        "invoices/{}",
        "taggables/{},1,2",
        "clients/{}/invoices",
        "invoices?page={}",
        "invoices?per_page={}",
        "invoices?offset={}",
        "invoices?filter[client.company]={}",
        "invoices?filter[payments][transactionid]={}",
        'invoices?where=%7B"payments":%7B"every":%7B"transactionid.contains":"{}"%7D%7D%7D',
        "invoices?include[payments][filter][transactionid.exact]={}",
        "invoices?include[items][limit]={}",
        "clients?group=city&having[max.company.gt]={}",
        "clients?group=city&having[count.gt]={}",
    ],
)
def test_known_attacks(template: str, attack: str) -> None:
    """In operands, keys and pages; what has another type never gets as far."""
    same_text(template, attack)


@given(_TEXTS)
def test_a_search(hostile: str) -> None:
    """``q`` is one pattern for every column."""
    same_text("clients?q={}", hostile)


@given(_TEXTS)
def test_a_key(hostile: str) -> None:
    """A text key takes any text."""
    same_text("taggables/{},7,9", hostile.replace(",", ";"), "invoice")


@given(
    st.sampled_from(
        [
            *("fields={}", "sort={}", "sort=-{}", "filter[{}]=1", "filter[id.{}]=1", "group={}", "metrics=max.{}"),
            *("metrics={}.id", "group=id&having[max.{}]=1", "include=client&fields[client]={}", "sort=client.{}"),
        ]
    ),
    _TEXTS,
)
def test_a_name(template: str, hostile: str) -> None:
    """It names something of the catalog, or it is refused."""
    fields = set(CRM.resources["invoices"].fields) | set(CRM.resources["clients"].fields)
    names = fields | set(CRM.resources["invoices"].relationships) | set(OPERATORS) | set(FUNCTIONS) | {"*", "custom.*"}
    try:
        ask_any(CRM, f"invoices?{template.format(quote(hostile, safe=''))}")
    except GatewayError:
        return
    assert {part.removeprefix("-") for part in hostile.split(",")} <= names


@given(st.dictionaries(st.sampled_from(["name", "company", "description", "email"]), _TEXTS, min_size=1))
def test_a_body(values: dict[str, str]) -> None:
    """Each value stands in its slot."""
    cache = StatementCache(CRM, 10, None)
    body = {"name": "x", **{name: text[:50] for name, text in values.items()}}
    planned = write(CRM, "POST", "leads", json_bytes(body))
    harmless = write(CRM, "POST", "leads", json_bytes(dict.fromkeys(body, "y")))

    assert cache.step(planned.plan.steps[0]).text == cache.step(harmless.plan.steps[0]).text
    assert cache.compiled == 1


def json_bytes(values: dict[str, str]) -> bytes:
    return orjson.dumps(values)
