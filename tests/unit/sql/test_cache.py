"""Statements by plan: made once, kept, and dropped when they have not been used for longest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.query.intent import OrderIntent, PageIntent, ReadIntent
from gateway.query.plan import UpdateStep
from gateway.query.planner import plan_read
from gateway.sql.cache import Recent, StatementCache
from gateway.sql.statement import Statement
from tests.support.asking import ask, ask_any, context_of, crm, write

CRM = crm()


def test_the_most_recently_used_are_kept() -> None:
    """Reading counts as using."""
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)

    assert (recent.get("a"), recent.get("b"), recent.get("c"), len(recent)) == (1, None, 3, 2)
    assert recent.get_or_make("a", lambda: 9) == 1
    assert recent.get_or_make("d", lambda: 9) == 9


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9))), st.integers(1, 5))
def test_no_more_are_kept_than_there_is_room_for(actions: list[tuple[bool, int]], size: int) -> None:
    """Whatever is put and asked for, and what was put last is there."""
    recent: Recent[int, int] = Recent(size)
    for is_put, key in actions:
        if is_put:
            recent.put(key, key + 1)
            assert recent.get(key) == key + 1
        else:
            assert recent.get(key) in (None, key + 1)
        assert len(recent) <= size


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("invoices?filter[status]=1&page=1", "invoices?filter[status]=6&page=7"),
        ("clients?filter[company.contains]=a", "clients?filter[company.ends]=%25"),
        ("clients?q=a", "clients?q=b"),
        ("invoices/1?fields=balance", "invoices/2?fields=balance"),
        ("clients/1/invoices", "clients/2/invoices?page=2"),
        ("invoices?filter[date.gt]=@today-3d", "invoices?filter[date.gt]=2020-01-01"),
        ("invoices?filter[client.city]=a&sort=client.zip", "invoices?filter[client.city]=b&sort=client.zip&page=3"),
        ("invoices?filter[payments][amount.gt]=1", "invoices?filter[payments][amount.gt]=2"),
        ('invoices?where={"payments":{"every":{"amount":1}}}', 'invoices?where={"payments":{"every":{"amount":2}}}'),
        ("invoices?group=agent&having[count.gt]=1", "invoices?group=agent&having[count.gt]=2&page=2"),
        ("invoices?include[items][limit]=1", "invoices?include[items][limit]=9"),
    ],
)
def test_the_same_question_with_other_values_is_the_same_statement(one: str, other: str) -> None:
    """Nothing is built the second time, not even for its count."""
    cache = StatementCache(CRM, 100, 0.25)
    kept = statements(cache, one)
    compiled = cache.compiled

    assert all(again is before for again, before in zip(statements(cache, other), kept, strict=True))
    assert cache.compiled == compiled == len(kept)


def statements(cache: StatementCache, target: str) -> list[Statement]:
    planned = ask_any(CRM, target)
    counts = [cache.count(planned.count)] if planned.count is not None else []
    parents = [cache.read(planned.parent)] if planned.parent is not None else []
    embeds = [cache.embed(embed, parents) for embed in planned.plan.embeds for parents in (1, 2)]
    return [cache.of(planned.plan), *counts, *parents, *embeds]


def test_counts_estimates_and_steps_are_kept_too() -> None:
    """Each under its own name: a count is not its estimate."""
    cache = StatementCache(CRM, 100, 0.25)
    count = ask(CRM, "leads").count
    assert count is not None
    step = write(CRM, "PATCH", "leads/1", b'{"company": "x"}').plan.steps[0]
    same = write(CRM, "PATCH", "leads/2", b'{"company": "y"}').plan.steps[0]
    assert isinstance(step, UpdateStep)
    texts = [cache.count(count).text, cache.estimate(count), cache.step(step).text]

    assert cache.compiled == 3
    assert cache.step(same) is cache.step(step)
    assert cache.estimate(count) is texts[1]
    assert (cache.compiled, len({str(text) for text in texts})) == (3, 3)


def test_sqlite_has_no_estimate() -> None:
    """Nothing is built for it."""
    catalog = crm("sqlite")
    cache = StatementCache(catalog, 100, 0.25)
    count = ask(catalog, "leads").count
    assert count is not None

    assert cache.estimate(count) is None
    assert cache.compiled == 0


def test_a_reply_in_another_format_is_another_statement() -> None:
    """Its rows are decoded otherwise, though the text is the same."""
    cache = StatementCache(CRM, 100, 0.25)
    plain = cache.read(ask(CRM, "invoices?fields=total").plan)
    text = cache.read(ask(CRM, "invoices?fields=total&decimals=string").plan)

    assert (plain.text, plain is text) == (text.text, False)


def test_pages_after_a_position_share_a_statement() -> None:
    """Whatever the position, where the same of its values are null."""
    cache = StatementCache(CRM, 100, 0.25)

    def after(*position: object) -> Statement:
        intent = ReadIntent("invoices", order=(OrderIntent("duedate"),), page=PageIntent(after=position))
        return cache.read(plan_read(context_of(CRM), intent).plan)

    assert after("2026-01-01", 1) is after("2026-05-05", 7)
    assert after(None, 1) is after(None, 7)
    assert cache.compiled == 2


def test_a_plan_and_its_number_of_groups_are_two_statements() -> None:
    """And the optimizer cannot tell a number of groups."""
    cache = StatementCache(CRM, 100, 0.25)
    planned = ask_any(CRM, "invoices?group=status")
    assert planned.count is not None

    assert cache.of(planned.plan) is cache.of(planned.plan)
    assert cache.count(planned.count) is not cache.of(planned.plan)
    assert cache.estimate(planned.count) is None
    assert cache.compiled == 2


def test_an_embed_has_a_statement_for_each_number_of_parents() -> None:
    """Each is built once, and with other limits and operands it is the same."""
    cache = StatementCache(CRM, 100, 0.25)
    (one,) = ask(CRM, "invoices?include[items][limit]=1").plan.embeds
    (other,) = ask(CRM, "invoices?include[items][limit]=7").plan.embeds

    assert cache.embed(one, 4) is cache.embed(other, 4)
    assert cache.embed(one, 4) is not cache.embed(one, 8)
    assert cache.compiled == 2
