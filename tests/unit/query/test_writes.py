"""Write intents -> plans: every field judged, every fault named, everything Perfex would fill filled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import pytest
from orjson import Fragment

from gateway.catalog.exposure import Name, TableExposure
from gateway.catalog.kinds import KINDS, parse_sql_type
from gateway.catalog.model import Catalog, Column, Filler, Table
from gateway.catalog.reflected import ReflectedColumn
from gateway.errors import ForbiddenError, Issue, MethodError, NotFoundError, ValidationError
from gateway.query.access import OPERATIONS, Access, Grant, Operation
from gateway.query.intent import ConditionIntent, WriteIntent
from gateway.query.judged import MOST_SUGGESTIONS, SentBack, pointer
from gateway.query.plan import InsertStep, PendingFill, SlotValue, UpdateStep
from gateway.query.writes import PlannedWrite, altered, as_stored, plan_create, refusal_of_writes, with_value
from tests.support.asking import ALL, READ, context_of, crm, granted, write
from tests.support.catalogs import START, ZONE, exposure_of, make_catalog, names, reflected
from tests.support.kinds import things

CRM = crm()
ANY: frozenset[Operation] = frozenset(OPERATIONS)


def inserted(planned: PlannedWrite) -> dict[str, object]:
    """Return what an insert writes, by column; a pending value as the kind of its filler."""
    step = planned.plan.steps[0]
    assert isinstance(step, InsertStep | UpdateStep)
    found: dict[str, object] = {}
    for column, value in step.values:
        assert isinstance(value, SlotValue)
        written = planned.values[value.slot]
        found[column.name] = written.filler.kind if isinstance(written, PendingFill) else written
    return found


def create(resource: str, values: Mapping[str, object], catalog: Catalog = CRM, access: Access = ALL) -> PlannedWrite:
    return plan_create(context_of(catalog, access), WriteIntent(resource, values=values))


def change(target: str, values: Mapping[str, object], catalog: Catalog = CRM, access: Access = ALL) -> PlannedWrite:
    return write(catalog, "PATCH", target, json.dumps(values).encode(), access)


def faults(call: object, *arguments: object, **options: object) -> dict[str, str | None]:
    with pytest.raises(ValidationError) as caught:
        call(*arguments, **options)  # type: ignore[operator]  # any of the functions above
    assert caught.value.code == "fields_invalid"
    return {(issue.pointer or "").removeprefix("/"): issue.code for issue in caught.value.issues}


# Creates


def test_a_create_writes_what_was_sent_and_what_the_crm_would_fill() -> None:
    """The rest is the database's own defaults."""
    planned = create("leads", {"name": "Zoë", "lead_value": "10.5"})

    assert inserted(planned) == {
        "name": "Zoë",
        "lead_value": Decimal("10.5"),
        "dateadded": datetime(2026, 11, 15, 10, 30),
        "status": "lead_status",
        "source": "lead_source",
        "addedfrom": "acting_staff",
    }
    assert [pending.filler.kind for _, pending in planned.pending] == ["lead_status", "lead_source", "acting_staff"]


def test_a_given_value_is_not_filled() -> None:
    """The CRM's choice is for what was left out."""
    planned = create("leads", {"name": "x", "status": 3, "source": 1, "addedfrom": 2, "dateadded": "2026-01-01T10:00"})

    assert planned.pending == ()
    assert inserted(planned)["dateadded"] == datetime(2026, 1, 1, 10)


def test_the_key_of_a_new_row_comes_from_its_insert() -> None:
    """Unless it was given."""
    planned = create("leads", {"name": "x"})
    given = create("leads", {"name": "x", "id": 900})

    assert planned.plan.key_step == 0
    assert planned.plan.key_slot is not None
    assert planned.values[planned.plan.key_slot] is None
    assert (given.plan.key_step, given.plan.key_slot) == (None, None)
    assert with_value(planned, planned.plan.key_slot, 7).values[planned.plan.key_slot] == 7


@pytest.mark.parametrize("raw", [0, "0", Decimal("0.0"), "-0", ""])
def test_a_zero_in_a_numbered_key_is_refused(raw: object) -> None:
    """MySQL would take it for a request of the next number."""
    assert faults(create, "leads", {"name": "x", "id": raw}) == {"id": "out_of_range"}


@pytest.mark.parametrize("raw", [2**30, 2**31 - 1, "2147483647", Decimal("2147483647.0"), Decimal("1.5e9")])
def test_a_number_from_the_far_half_of_a_key_is_refused(raw: object) -> None:
    """The server would count on from there, though the row be taken back: after the last one there are no more rows."""
    assert faults(create, "leads", {"name": "x", "id": raw}) == {"id": "out_of_range"}
    assert inserted(create("leads", {"name": "x", "id": 2**30 - 1}))["id"] == 2**30 - 1


def test_small_keys_take_all_their_numbers() -> None:
    """Rows alone use them up, and a row may be there already."""
    column = ReflectedColumn("id", "smallint(6)", is_nullable=False, is_auto_increment=True)
    catalog = make_catalog(reflected("few", column, "note text"))

    assert inserted(create("few", {"id": 32_767}, catalog)) == {"id": 32_767}


@pytest.mark.parametrize("values", [{"notes": None}, {"notes": []}, {}])
def test_no_nested_rows_may_be_said_in_any_way(values: dict[str, object]) -> None:
    """Null is what clients with types send for what was left out."""
    planned = create("clients", {"company": "Acme", **values})

    assert not any(planned.children.values())
    assert create("clients", {"company": "Acme"}).plan == planned.plan


def test_null_of_a_relationship_that_is_not_nested_is_no_field() -> None:
    """As a list of rows would be."""
    assert faults(create, "clients", {"company": "Acme", "country_ref": None, "leads": None}) == {
        "country_ref": "unknown",
        "leads": "unknown",
    }


def test_a_key_that_only_the_database_would_know_is_required() -> None:
    """The row could not be shown again."""
    catalog = make_catalog(
        reflected(
            "codes",
            ReflectedColumn("code", "varchar(10)", default="x"),
            ReflectedColumn("part", "int(11)", default="0"),
            "note text",
            key=("code", "part"),
        )
    )

    assert faults(create, "codes", {"note": "n"}, catalog) == {"code": "required", "part": "required"}
    assert inserted(create("codes", {"code": "a", "part": 0}, catalog)) == {"code": "a", "part": 0}


def test_a_table_without_a_key_is_written_without_reading_back() -> None:
    """There is no way to find the row again."""
    catalog = make_catalog(reflected("log", "text varchar(20)", key=()))
    planned = create("log", {"text": "x"}, catalog)

    assert (planned.plan.result, planned.plan.key_slot) == (None, None)


def test_a_table_without_a_key_takes_no_row_under_a_row_filter() -> None:
    """Nobody could tell whether the new row is the caller's: it is refused before anything is written."""
    catalog = make_catalog(reflected("log", "text varchar(20)", key=()))
    mine = Grant(ANY, row_filter=(ConditionIntent(("text",), "mine", "row filter"),))

    with pytest.raises(ForbiddenError) as caught:
        create("log", {"text": "mine"}, catalog, granted(log=mine))
    assert caught.value.code == "grant_missing"
    assert "no key" in caught.value.detail


def test_every_fault_is_named() -> None:
    """Unknown, hidden, derived, wrong, missing: one entry each."""
    body = {"nme": "x", "hash": "h", "lead_value": "1.005", "country": None, "id": "a", "is_public": 7777}

    assert faults(create, "leads", body) == {
        "nme": "unknown",
        "hash": "unknown",
        "lead_value": "scale",
        "country": "null",
        "id": "type",
        "is_public": "out_of_range",
        "name": "required",
    }
    assert faults(create, "clients", {"company": "x", "email": "a@b"}) == {"email": "read_only"}


def test_a_hidden_field_is_answered_as_a_made_up_one() -> None:
    """The same words but for the name."""
    messages = []
    for name in ("hash", "qqqq"):
        with pytest.raises(ValidationError) as caught:
            create("leads", {"name": "x", name: "y"})
        messages.append((caught.value.detail + caught.value.issues[0].message).replace(name, "…"))

    assert messages[0] == messages[1]


def test_many_unknown_names_cost_little() -> None:
    """The first faults have suggestions, all of them have names."""
    body: dict[str, object] = {f"nam{number}": "x" for number in range(3 * MOST_SUGGESTIONS)}
    with pytest.raises(ValidationError) as caught:
        create("leads", body)
    suggested = [issue for issue in caught.value.issues if issue.suggestion]

    assert len(caught.value.issues) == len(body) + 1
    assert 0 < len(suggested) <= MOST_SUGGESTIONS


def test_a_pointer_is_escaped() -> None:
    """RFC 6901: a slash is ~1, a tilde ~0."""
    assert pointer("a/b~c") == "/a~1b~0c"


@pytest.mark.parametrize(
    ("resource", "code"),
    [("staff", "write_not_supported"), ("roles", "write_not_supported"), ("files", "write_not_supported")],
)
def test_a_table_that_is_not_written_plainly_refuses_with_its_reason(resource: str, code: str) -> None:
    """405, before any field is judged."""
    with pytest.raises(MethodError) as caught:
        create(resource, {"nonsense": 1})

    assert caught.value.code == code
    assert len(caught.value.detail) > 30


def test_a_view_is_never_written() -> None:
    """Whatever its mode says."""
    catalog = make_catalog(reflected("totals", "n int", is_view=True))

    assert "view" in (refusal_of_writes(catalog.resources["totals"]) or "")
    with pytest.raises(MethodError, match="view"):
        create("totals", {"n": 1}, catalog)


def test_a_write_needs_its_own_grant() -> None:
    """Reading is not creating."""
    with pytest.raises(ForbiddenError, match="leads:create"):
        create("leads", {"name": "x"}, access=granted(leads=Grant(READ)))
    with pytest.raises(NotFoundError):
        create("leadz", {"name": "x"})


def test_only_writable_columns_are_written() -> None:
    """A column the caller may read but not write is read-only; one it may do neither with does not exist."""
    grant = Grant(ANY, readable=frozenset({"id", "name", "email"}), writable=frozenset({"name", "title"}))
    access = granted(leads=grant)

    found = faults(create, "leads", {"name": "x", "email": "a", "title": "t", "company": "c"}, access=access)
    assert found == {"email": "read_only", "company": "unknown"}


def test_without_the_right_to_read_the_key_tells_which_row_it_is() -> None:
    """Nothing else comes back."""
    create_only = frozenset[Operation]({"create"})
    planned = create("leads", {"name": "x"}, access=granted(leads=Grant(create_only)))

    assert planned.plan.result is not None
    assert [field.name for field in planned.plan.result.fields] == ["id"]


def test_a_row_filter_decides_over_the_new_row() -> None:
    """It is read back through the filter, with the day where that needs it."""
    own = Grant(ANY, row_filter=(ConditionIntent(("assigned",), "5", "row filter"),))
    planned = create("leads", {"name": "x"}, access=granted(leads=own))

    assert planned.plan.result is not None
    assert 5 in planned.values


# Fillers


def fillable(sql: str, kind: str, value: str | int | None = None) -> object:
    """Return what a filler writes into a column of a type."""
    column_type = parse_sql_type(sql)
    key = Column("id", parse_sql_type("int(11)"), is_nullable=False, is_auto_increment=True, has_default=True)
    column = Column("x", column_type, filler=Filler(kind, value))  # type: ignore[arg-type]  # parametrized text
    table = Table("t", "t", (key, column), {"id": key, "x": column}, (key,))
    catalog = Catalog("mariadb", ZONE, {"t": table}, {"t": table}, "f")
    return inserted(create("t", {}, catalog))["x"]


@pytest.mark.parametrize(
    ("sql", "kind", "value", "due"),
    [
        ("datetime", "now", None, datetime(2026, 11, 15, 10, 30)),
        ("timestamp", "now", None, datetime(2026, 11, 15, 9, 30)),
        ("date", "now", None, datetime(2026, 11, 15).date()),
        ("varchar(30)", "now", None, "2026-11-15 10:30:00"),
        ("date", "today", None, datetime(2026, 11, 15).date()),
        ("varchar(32)", "random_hex", 16, "0" * 32),
        ("varchar(32)", "random_hex", None, "0" * 32),
        ("int(11)", "constant", 3, 3),
        ("int(11)", "acting_staff", None, "acting_staff"),
    ],
)
def test_each_filler_has_its_value(sql: str, kind: str, value: str | int | None, due: object) -> None:
    """DATETIME is the wall clock, TIMESTAMP is UTC, text is what PHP would print."""
    assert fillable(sql, kind, value) == due


# Changes


def test_a_change_locks_writes_and_reads_one_row() -> None:
    """The row filter stands in the lock and in the read; the key alone says what is written."""
    own = Grant(ANY, row_filter=(ConditionIntent(("assigned",), "5", "row filter"),))
    planned = change("leads/7", {"company": "x"}, access=granted(leads=own))
    (lock,), (step,), result = planned.plan.reads, planned.plan.steps, planned.plan.result

    assert lock.is_locking
    assert result is not None
    assert lock.condition == result.condition
    assert isinstance(step, UpdateStep)
    assert step.condition != lock.condition
    assert inserted(planned) == {"company": "x"}


def test_a_change_of_nothing_writes_nothing() -> None:
    """The row is locked and shown."""
    planned = change("leads/7", {})

    assert planned.plan.steps == ()
    assert planned.plan.result is not None


def test_keys_and_read_only_fields_may_be_sent_back() -> None:
    """They are compared with the locked row, which is asked for them."""
    planned = change("expenses/7", {"id": 7, "reference_no": "x"})

    assert [item.column.name for item in planned.sent_back] == ["id"]
    assert {field.name for field in planned.plan.reads[0].fields} == {"id"}
    assert inserted(planned) == {"reference_no": "x"}


def test_a_rule_sees_the_whole_row_before_a_change() -> None:
    """What it computes depends on more than what was sent."""
    planned = change("leads/7", {"company": "x"})

    assert planned.plan.reads[0].fields == planned.table.columns


def test_derived_and_unknown_fields_are_at_fault_in_a_change_too() -> None:
    """And a read-only one that the caller may not read does not exist: sending it would be a guess at its value."""
    assert faults(change, "clients/1", {"email": "x", "qq": 1}) == {"email": "read_only", "qq": "unknown"}
    exposure = exposure_of(TableExposure(Name("pets", START), read_only=names("chip")), profile=None)
    catalog = make_catalog(reflected("pets", "id int!", "name text", "chip text"), exposure=exposure)
    blind = granted(pets=Grant(ANY, readable=frozenset({"id"})))
    assert faults(change, "pets/1", {"chip": "x"}, catalog, blind) == {"chip": "unknown"}
    assert [item.column.name for item in change("pets/1", {"chip": "x"}, catalog).sent_back] == ["chip"]


def test_what_differs_from_the_stored_row_is_read_only() -> None:
    """By value, not by spelling."""
    columns = things().resources["things"].fields
    money, day = columns["money"], columns["day"]
    assert isinstance(money, Column)
    assert isinstance(day, Column)
    faults_ = [Issue(str(number)) for number in range(3)]
    sent = [
        SentBack(money, "10.50", faults_[0]),
        SentBack(day, "2026-01-02", faults_[1]),
        SentBack(money, None, faults_[2]),
    ]
    stored = {"money": Fragment("10.50"), "day": "2026-01-01"}

    assert altered(sent, stored, context_of(CRM).clock) == faults_[1:]


def test_a_value_that_does_not_fit_may_be_the_stored_one() -> None:
    """The CRM itself may have stored it; but not where the caller may not read it, and not beside another fault."""
    planned = change("things/1", {"level": "?", "small": 5}, things())
    assert [(item.column.name, item.fault.code) for item in planned.sent_back] == [("level", "member")]
    assert inserted(planned) == {"small": 5}

    assert faults(change, "things/1", {"level": "?", "qq": 1}, things()) == {"qq": "unknown", "level": "member"}
    blind = granted(things=Grant(ANY, readable=frozenset({"id"})))
    assert faults(change, "things/1", {"level": "?"}, things(), blind) == {"level": "member"}


# Nulls and forms


def test_null_is_stored_where_it_can_be() -> None:
    """As a zero date where the column has that default instead; elsewhere it is a fault."""
    catalog = make_catalog(
        reflected(
            "t",
            "id int!",
            "free text",
            "due text!",
            ReflectedColumn("day", "date", is_nullable=False, default="0000-00-00"),
            ReflectedColumn("at", "datetime", is_nullable=False, default="0000-00-00 00:00:00"),
        )
    )

    assert inserted(change("t/1", {"free": None, "day": None, "at": None}, catalog)) == {
        "free": None,
        "day": "0000-00-00",
        "at": "0000-00-00 00:00:00",
    }
    assert faults(create, "t", {"due": None}, catalog) == {"due": "null"}


def test_a_null_where_the_crm_has_its_own_none_is_that() -> None:
    """Its lists look for 0 or an empty text, never for NULL."""
    assert inserted(change("clients/1", {"billing_country": None})) == {"billing_country": 0}


def test_what_was_read_and_is_sent_back_stays_as_it_is_stored() -> None:
    """Though the reply says less than the column holds."""
    planned = change("clients/1", {"billing_street": "a\nb"})
    (echo,) = planned.echoes
    clock = context_of(CRM).clock
    same = as_stored(planned, {"billing_street": "a\nb"}, {"billing_street": "a<br>\r\nb"}, clock)
    other = as_stored(planned, {"billing_street": "c"}, {"billing_street": "c"}, clock)

    assert same.values[echo.slot] == "a<br>\r\nb"
    assert other.values[echo.slot] == "a<br />\nb"


def test_an_empty_value_of_a_form_is_null_where_it_cannot_be_text() -> None:
    """A form has no other way to say so; in JSON an empty text is no number."""
    form = "application/x-www-form-urlencoded"
    planned = write(things(), "PATCH", "things/1", b"money=&name=&flag=true", content_type=form)

    assert inserted(planned) == {"money": None, "name": "", "flag": 1}
    assert faults(create, "things", {"money": ""}, things()) == {"money": "type"}


def test_every_plain_table_of_the_crm_can_be_planned() -> None:
    """An empty create is planned, or names what is required; an empty change is planned."""
    for table in CRM.exposed():
        if refusal_of_writes(table) is not None:
            continue
        if table.key:
            assert change(f"{table.resource}/{','.join('1' for _ in table.key)}", {}).plan.reads
        if table.create_refusal is None:
            ruled = table.computed | table.defaulted
            required = [column.name for column in table.columns if column.is_required and column.name not in ruled]
            open_key = [column.name for column in table.key if not column.is_auto_increment]
            if required or open_key:
                assert set(faults(create, str(table.resource), {}).values()) == {"required"}
            else:
                assert create(str(table.resource), {}).plan.steps


def test_a_nested_row_needs_only_the_grant_on_its_parent() -> None:
    """The columns that the token may not write stay out of reach."""
    body = {"company": "Acme", "notes": [{"description": "met at the fair"}]}
    narrow = Grant(READ, writable=frozenset())

    assert create("clients", body, access=granted(clients=Grant(ANY))).children["notes"]
    assert create("clients", body, access=granted(clients=Grant(ANY), notes=Grant(READ))).children["notes"]
    assert faults(create, "clients", body, access=granted(clients=Grant(ANY), notes=narrow)) == {
        "notes/0/description": "read_only"
    }


def test_a_nested_row_of_a_closed_table_is_refused() -> None:
    """A grant without any operation is that of a policy that cannot be met."""
    body = {"company": "Acme", "notes": [{"description": "met at the fair"}]}

    with pytest.raises(ForbiddenError, match="notes:create"):
        create("clients", body, access=granted(clients=Grant(ANY), notes=Grant(frozenset())))


def test_only_callers_with_a_row_filter_have_their_rows_told_apart() -> None:
    """A write of anybody else carries nothing to tell them by, and asks the database nothing more."""
    filtered = Grant(READ, row_filter=(ConditionIntent(("assigned",), "5", "row filter"),))

    assert create("tags", {"name": "x"}).caller is None
    assert create("tags", {"name": "x"}, access=granted(tags=Grant(ANY), leads=filtered)).caller is not None


def test_a_computed_field_that_the_caller_may_not_read_is_never_compared() -> None:
    """Whoever may not see a total can neither guess it nor have a wrong one dropped."""
    blind = granted(invoices=Grant(frozenset({"create", "update"})))
    partly = granted(invoices=Grant(ANY, readable=frozenset({"id", "clientid"})))

    assert faults(change, "invoices/1", {"total": 1}, access=blind) == {"total": "computed"}
    assert faults(create, "invoices", {"clientid": 1, "total": 1}, access=blind) == {"total": "computed"}
    assert faults(change, "invoices/1", {"total": 1, "totall": 1}, access=partly) == {
        "total": "unknown",
        "totall": "unknown",
    }


@pytest.mark.parametrize("target", ["tickets/1", "proposals/1", "projects/1"])
def test_null_is_no_status(target: str) -> None:
    """What a create fills in is not what a null means: a closed ticket would be open again."""
    assert faults(change, target, {"status": None}) == {"status": "null"}


def test_rows_with_rules_of_their_own_are_nested_only_where_their_parents_rule_writes_them() -> None:
    """An invoice writes its lines along; a lead or a customer does not know how a task begins."""
    invoice = {"clientid": 1, "items": [{"description": "Work", "qty": 1, "rate": 1}]}

    assert create("invoices", invoice).children["items"]
    bodies: dict[str, dict[str, object]] = {
        "clients": {"company": "Acme"},
        "leads": {"name": "Zoë"},
        "invoices": invoice,
    }
    for parent, body in bodies.items():
        assert faults(create, parent, {**body, "tasks": [{"name": "call"}]}) == {"tasks/0": "read_only"}


def test_kinds_have_a_row_in_the_table_of_types() -> None:
    """The types used above are the product's own."""
    assert {field.type.kind.name for field in things().resources["things"].fields.values()} <= set(KINDS)
