"""What invoices, estimates, proposals and credit notes have in common: lines, taxes, totals, numbers."""

from sample_crm.areas.lookups import ITEMS, TAXES
from sample_crm.days import Days
from sample_crm.dice import Dice
from sample_crm.money import NO_DISCOUNT, Discount, Line, Tax, Totals, total_up
from sample_crm.store import Store, Value
from sample_crm.world import Client, World

PADDING = 6
_PRICES = (45000, 99900, 125000, 18050, 7500, 260000, 64025, 1999)
_SUBJECTS = ("Monthly retainer", "Extra work", "Travel", "أعمال إضافية", "Prestation supplémentaire", "Sonderarbeiten")
_FRACTIONS = (25, 50, 75, 150, 250, 725)
_TAX_SETS: tuple[tuple[Tax, ...], ...] = (
    (),
    (TAXES[0],),
    (TAXES[0],),
    (TAXES[1],),
    (TAXES[2],),
    (TAXES[0], TAXES[5]),
    (TAXES[4],),
    (TAXES[6],),
)


class Draft:
    """The lines, the discount and the totals of a document to be written."""

    __slots__ = ("discount", "lines", "totals")

    def __init__(self, lines: tuple[Line, ...], discount: Discount, totals: Totals) -> None:
        self.lines = lines
        self.discount = discount
        self.totals = totals

    def columns(self) -> dict[str, Value]:
        """Return the money columns that all kinds of documents share."""
        totals = self.totals
        return {
            "subtotal": totals.subtotal,
            "total_tax": totals.total_tax,
            "total": totals.total,
            "adjustment": totals.adjustment,
            "discount_percent": self.discount.percent,
            "discount_total": totals.discount,
            "discount_type": self.discount.kind,
        }


def make_draft(dice: Dice) -> Draft:
    """Return a plausible document whose totals do not depend on when one rounds."""
    while True:
        taxes = dice.pick(_TAX_SETS)
        lines = tuple(_line(dice, taxes) for _ in range(dice.pick((1, 1, 2, 2, 3, 4))))
        adjustment = dice.pick((-500, 250, -1)) if dice.chance(0.03) else 0
        for discount in (_discount(dice, lines), NO_DISCOUNT):
            totals = total_up(lines, discount, adjustment)
            if totals is not None and totals.total > 0:
                return Draft(lines, discount, totals)


def free_draft() -> Draft:
    """Return a document that costs nothing."""
    line = Line("Courtesy visit", "", 100, 0, "", ())
    return Draft((line,), NO_DISCOUNT, Totals(0, 0, 0, 0, 0))


def _line(dice: Dice, taxes: tuple[Tax, ...]) -> Line:
    """Return a line; fractions of a unit come with whole prices, so that quantity x rate is exact in cents."""
    if dice.chance(0.7):
        description, long_description, rate, unit, _, _ = dice.pick(ITEMS)
    else:
        description, long_description, rate, unit = dice.pick(_SUBJECTS), "", dice.pick(_PRICES), ""
    qty = dice.between(1, 12) * 100
    if rate % 10000 == 0 and dice.chance(0.4):
        qty = dice.pick(_FRACTIONS)
    used = taxes if dice.chance(0.9) else ()
    return Line(description, long_description.replace("\n", "<br />\n"), qty, rate, unit, used)


def _discount(dice: Dice, lines: tuple[Line, ...]) -> Discount:
    mark = dice.random()
    if mark > 0.2:
        return NO_DISCOUNT
    kind = "before_tax" if mark < 0.1 else "after_tax"
    if dice.chance(0.6):
        return Discount(kind, percent=dice.pick((500, 1000, 1500, 750)))
    return Discount(kind, fixed=sum(line.amount for line in lines) // 1000 * 50)


def shipping(client: Client, *, is_used: bool) -> dict[str, Value]:
    """Return the shipping columns: empty unless the document is shipped to the customer's warehouse."""
    place = client.company.place
    return {
        "shipping_street": f"Warehouse, {client.company.street}"[:200] if is_used else None,
        "shipping_city": place.city if is_used else None,
        "shipping_state": place.state if is_used else None,
        "shipping_zip": place.zip if is_used else None,
        "shipping_country": client.company.country_id if is_used else None,
        "include_shipping": int(is_used),
    }


def write_lines(store: Store, rel_type: str, rel_id: int, lines: tuple[Line, ...]) -> int:
    """Write the lines and their taxes; return the first line's key."""
    first = store.next_key("itemable")
    for order, line in enumerate(lines, start=1):
        key = store.put(
            "itemable",
            rel_id=rel_id,
            rel_type=rel_type,
            description=line.description,
            long_description=line.long_description,
            qty=line.qty,
            rate=line.rate,
            unit=line.unit,
            item_order=order,
        )
        for tax in line.taxes:
            store.put("item_tax", itemid=key, rel_id=rel_id, rel_type=rel_type, taxrate=tax.rate, taxname=tax.name)
    return first


def format_number(days: Days, prefix: str, number: int, number_format: int, day: int) -> str:
    """Return the number as the CRM shows it, in one of its four formats."""
    padded = f"{number:0{PADDING}d}"
    year, month, _ = days.text(day).split("-")
    if number_format == 2:
        return f"{prefix}{year}/{padded}"
    if number_format == 3:
        return f"{prefix}{padded}-{year[2:]}"
    if number_format == 4:
        return f"{prefix}{padded}/{month}/{year}"
    return f"{prefix}{padded}"


def log_sales(
    world: World, rel: tuple[str, int], description: str, stamp: str, staff: tuple[str | None, str] = ("[CRON]", "")
) -> None:
    """Add a line to the timeline of an invoice or estimate; ``staff`` is id as text and full name."""
    world.store.put(
        "sales_activity",
        rel_type=rel[0],
        rel_id=rel[1],
        description=description,
        additional_data="",
        staffid=staff[0],
        full_name=staff[1],
        date=stamp,
    )
