"""Custom field definitions of every type on every kind of record, and their values."""

from collections.abc import Sequence
from dataclasses import dataclass

from sample_crm.dice import Dice
from sample_crm.world import World


@dataclass(frozen=True, slots=True)
class _Field:
    """One definition. ``slug`` follows from owner and name, as the CRM makes it."""

    owner: str
    name: str
    type: str
    options: tuple[str, ...] = ()
    is_active: bool = True
    share: float = 0.5

    @property
    def slug(self) -> str:
        return f"{self.owner}_{'_'.join(self.name.lower().replace('(', '').replace(')', '').split())}"


_FIELDS = (
    _Field("customers", "Industry", "select", ("Retail", "Health", "Construction", "Éducation")),
    _Field("customers", "Tier", "input"),
    _Field("customers", "Employees", "number"),
    _Field("customers", "Renewal Date", "date_picker"),
    _Field("customers", "Background", "textarea"),
    _Field("customers", "Interests", "multiselect", ("Hosting", "Design", "Hardware")),
    _Field("customers", "Brand Colour", "colorpicker"),
    _Field("customers", "Portal Link", "link"),
    _Field("customers", "API Token", "input"),
    _Field("leads", "Budget", "number"),
    _Field("leads", "Call At", "date_picker_time"),
    _Field("leads", "Channels", "checkbox", ("Phone", "E-mail", "WhatsApp")),
    _Field("leads", "Password Hint", "input", share=0.2),
    _Field("invoice", "PO Number", "input", share=0.3),
    _Field("invoice", "Approved On", "date_picker", share=0.2),
    _Field("invoice", "Retired Field", "input", is_active=False, share=0.05),
    _Field("projects", "Cost Centre", "select", ("CC-100", "CC-200", "CC-300")),
    _Field("projects", "Margin", "number"),
    _Field("contacts", "Birthday", "date_picker", share=0.2),
    _Field("tasks", "Effort", "number", share=0.2),
    _Field("tickets", "Browser", "select", ("Firefox", "Chrome", "Safari")),
    _Field("expenses", "Approved By", "input"),
    _Field("estimate", "Competitor", "input", share=0.2),
    _Field("proposal", "Win Chance", "number", share=0.3),
    _Field("credit_note", "Reason", "select", ("Returned", "Goodwill")),
    _Field("contracts", "Archive Box", "input"),
    _Field("staff", "Languages", "multiselect", ("العربية", "English", "Deutsch")),
    _Field("items", "Supplier", "input", share=0.4),
    _Field("company", "Trade Licence", "input"),
)


def fill_custom_fields(world: World) -> None:
    """Fill the definitions, then the values of every record that has one."""
    dice = world.dice("custom fields")
    owners = _owners(world)
    for order, field in enumerate(_FIELDS, start=1):
        key = world.store.put(
            "customfields",
            fieldto=field.owner,
            name=field.name,
            slug=field.slug,
            required=0,
            type=field.type,
            options=",".join(field.options),
            field_order=order,
            active=int(field.is_active),
            show_on_pdf=int(order % 3 == 0),
            only_admin=int("Token" in field.name),
            show_on_table=1,
            show_on_client_portal=int(order % 4 == 0),
            bs_column=6,
            default_value="",
        )
        for relation, keys in owners[field.owner]:
            _add_values(world, dice, (key, field), relation, keys)


def _owners(world: World) -> dict[str, tuple[tuple[str, Sequence[int]], ...]]:
    """Return, per owner, what the values call it and the ids: catalogue items and document lines share a definition."""
    lines = range(1, min(200, world.store.next_key("itemable")))
    contacts = [contact.id for client in world.clients for contact in client.contacts]
    return {
        "customers": (("customers", [client.id for client in world.clients]),),
        "leads": (("leads", [lead.id for lead in world.leads]),),
        "invoice": (("invoice", [document.id for document in world.invoices]),),
        "projects": (("projects", [project.id for project in world.projects]),),
        "contacts": (("contacts", contacts),),
        "tasks": (("tasks", world.tasks),),
        "tickets": (("tickets", world.tickets),),
        "expenses": (("expenses", world.expenses),),
        "estimate": (("estimate", [document.id for document in world.estimates]),),
        "proposal": (("proposal", [document.id for document in world.proposals]),),
        "credit_note": (("credit_note", [document.id for document in world.credit_notes]),),
        "contracts": (("contracts", [document.id for document in world.contracts]),),
        "staff": (("staff", [employee.id for employee in world.staff]),),
        "items": (("items_pr", range(1, world.store.next_key("items"))), ("items", lines)),
        "company": (("company", (0,)),),
    }


def _add_values(world: World, dice: Dice, definition: tuple[int, _Field], relation: str, keys: Sequence[int]) -> None:
    field_id, field = definition
    for at, key in enumerate(keys):
        if at == 0 or dice.chance(field.share):
            value = _value(world, dice, field)
            world.store.put("customfieldsvalues", relid=key, fieldid=field_id, fieldto=relation, value=value)


def _value(world: World, dice: Dice, field: _Field) -> str:
    """Return a value in the form the CRM stores for the field's type."""
    match field.type:
        case "select":
            return dice.pick(field.options)
        case "multiselect" | "checkbox":
            chosen = dice.some(field.options, dice.between(1, len(field.options)))
            return ", ".join(option for option in field.options if option in chosen)
        case "number":
            return str(dice.between(1, 5000))
        case "date_picker" | "date_picker_time":
            stamp = world.days.stamp(dice.between(-400, 400), dice.office_second())
            return stamp[:10] if field.type == "date_picker" else stamp[:16]
        case "colorpicker":
            return f"#{dice.hex32()[:6]}"
        case "link":
            return '<a href="https://portal.example" target="_blank">Portal</a>'
    return _text(dice, field)


def _text(dice: Dice, field: _Field) -> str:
    if field.type == "textarea":
        return "Family business<br />\nfounded in 1974"
    if field.name in ("API Token", "Password Hint"):
        return f"fake-secret-{dice.hex32()}"
    return f"{dice.pick(('A', 'B', 'Ç', 'د'))}-{dice.between(100, 9999)}"
