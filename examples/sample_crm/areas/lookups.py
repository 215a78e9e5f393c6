"""The small tables everything refers to: currencies, countries, taxes, modes, statuses, categories, catalogue."""

from sample_crm.countries import COUNTRIES, top_level_domain, un_membership
from sample_crm.money import Tax
from sample_crm.store import Store
from sample_crm.world import ADMIN_ID, World

CURRENCIES: tuple[tuple[str, str, str], ...] = (
    ("USD", "$", "before"),
    ("EUR", "€", "after"),
    ("GBP", "£", "before"),
    ("AED", "د.إ", "after"),
    ("JPY", "¥", "before"),
    ("SAR", "ر.س", "after"),
    ("INR", "₹", "before"),
    ("CHF", "CHF", "before"),
    ("CAD", "C$", "before"),
    ("AUD", "A$", "before"),
    ("EGP", "E£", "before"),
)
CURRENCY_IDS = {name: at for at, (name, *_) in enumerate(CURRENCIES, start=1)}

TAXES: tuple[Tax, ...] = (
    Tax("VAT", 500),
    Tax("VAT", 2000),
    Tax("MwSt.", 1900),
    Tax("TVA", 550),
    Tax("GST", 1000),
    Tax("Municipality fee", 250),
    Tax("IVA", 2100),
)

PAYMENT_MODES: tuple[tuple[str, str | None, int, int, int, int], ...] = (
    # name, description, invoices only, expenses only, selected by default, active
    ("Bank", "Transfers to the company account", 0, 0, 1, 1),
    ("Cash", None, 0, 0, 1, 1),
    ("Card", "Terminal at the front desk", 0, 0, 0, 1),
    ("Cheque", None, 1, 0, 0, 1),
    ("Company card", "Staff purchases", 0, 1, 0, 1),
    ("Fax order", None, 1, 0, 0, 0),
)
DEFAULT_MODES = ("1", "2")

LEAD_STATUSES: tuple[tuple[str, int, str, int], ...] = (
    ("Customer", 1000, "#7cb342", 1),
    ("New", 1, "#28b8da", 0),
    ("Contacted", 2, "#03a9f4", 0),
    ("Qualified", 3, "#8e24aa", 0),
    ("Proposal", 4, "#fb8c00", 0),
    ("Negotiation", 5, "#f4511e", 0),
    ("On Hold", 6, "#757575", 0),
)
LEAD_SOURCES = ("Google", "Facebook", "Website", "Referral", "Cold Call", "LinkedIn", "Trade Show", "Email")

TICKET_STATUSES: tuple[tuple[str, int, str, int], ...] = (
    ("Open", 1, "#ff2d42", 1),
    ("In progress", 1, "#22c55e", 2),
    ("Answered", 1, "#2563eb", 3),
    ("On Hold", 1, "#64748b", 4),
    ("Closed", 1, "#03a9f4", 5),
)
TICKET_PRIORITIES = ("Low", "Medium", "High", "Urgent")
SERVICES = ("Installation", "Maintenance", "Billing question", "Training")
DEPARTMENTS = ("Support", "Sales", "Accounts")
CUSTOMER_GROUPS = ("VIP", "Wholesale", "Retail", "Partner", "Non-profit")
CONTRACT_TYPES = ("Service agreement", "Maintenance", "Lease", "Non-disclosure")
EXPENSE_CATEGORIES = ("Travel", "Software", "Office supplies", "Advertising", "Meals", "Subcontractors")
ITEM_GROUPS = ("Consulting", "Hosting", "Hardware", "Design")
TAGS = ("urgent", "vip", "follow-up", "renewal", "متابعة", "à revoir", "wichtig", "🔥 hot", "internal", "blocked")

ITEMS: tuple[tuple[str, str, int, str, int, int], ...] = (
    # description, long description, rate in cents, unit, group id, tax id (0: none)
    ("Consulting", "Senior consultant, on site", 15000, "hour", 1, 1),
    ("Workshop day", "Preparation included\nMaterials included", 120000, "day", 1, 1),
    ("Remote support", "", 9500, "hour", 1, 2),
    ("Project management", "Weekly reports", 11000, "hour", 1, 0),
    ("Web hosting", "Managed, 50 GB", 2900, "month", 2, 1),
    ("Domain renewal", "", 1499, "year", 2, 0),
    ("TLS certificate", "Wildcard", 8900, "year", 2, 2),
    ("Backup storage", "1 TB, two regions", 4500, "month", 2, 1),
    ("Rack server", "2 x 16 cores, 256 GB", 489900, "pcs", 3, 1),
    ("Network switch", "48 ports", 74950, "pcs", 3, 1),
    ("Laptop", '14", 32 GB', 149900, "pcs", 3, 2),
    ("Docking station", "", 18990, "pcs", 3, 2),
    ("Cabling", "Cat 6A, per metre", 320, "m", 3, 0),
    ("Logo design", "Three drafts", 95000, "pcs", 4, 1),
    ("Brand guide", "PDF & print", 240000, "pcs", 4, 1),
    ("Illustration", "Étude au crayon", 36000, "pcs", 4, 3),
    ("تصميم موقع", "تصميم متجاوب", 350000, "pcs", 4, 1),
    ("Übersetzung", "Deutsch / Englisch", 1200, "page", 1, 3),
    ("Photo shoot 📷", "Half day", 68000, "pcs", 4, 1),
    ("Licence fee", "Per seat", 2500, "seat", 2, 2),
)


def fill_lookups(world: World) -> None:
    """Fill the lookup tables; ids follow the order of the lists above."""
    put = world.store.put
    for name, symbol, placement in CURRENCIES:
        put(
            "currencies",
            symbol=symbol,
            name=name,
            decimal_separator="," if name == "EUR" else ".",
            thousand_separator="." if name == "EUR" else ",",
            placement=placement,
            isdefault=int(name == "USD"),
        )
    _fill_countries(world.store)
    _fill_sales_lists(world.store)
    _fill_people_lists(world)
    _fill_support_lists(world)
    put("migrations", version=341)


def _fill_countries(store: Store) -> None:
    for country in COUNTRIES:
        store.put(
            "countries",
            iso2=country.iso2,
            short_name=country.name,
            long_name=country.name,
            iso3=country.iso3,
            numcode=country.numeric or None,
            un_member=un_membership(country.iso2),
            calling_code=country.calling,
            cctld=top_level_domain(country.iso2),
        )


def _fill_sales_lists(store: Store) -> None:
    for tax in TAXES:
        store.put("taxes", name=tax.name, taxrate=tax.rate)
    for name, description, for_invoices, for_expenses, selected, active in PAYMENT_MODES:
        store.put(
            "payment_modes",
            name=name,
            description=description,
            show_on_pdf=int(name == "Bank"),
            invoices_only=for_invoices,
            expenses_only=for_expenses,
            selected_by_default=selected,
            active=active,
        )
    for name in ITEM_GROUPS:
        store.put("items_groups", name=name)
    for description, long_description, rate, unit, group, tax_id in ITEMS:
        store.put(
            "items",
            description=description,
            long_description=long_description.replace("\n", "<br />\n"),
            rate=rate,
            tax=tax_id or None,
            tax2=6 if description == "Rack server" else None,
            unit=unit,
            group_id=group,
        )
    for name in EXPENSE_CATEGORIES:
        store.put("expenses_categories", name=name, description=f"{name} paid for the company")
    for name in CONTRACT_TYPES:
        store.put("contracts_types", name=name)


def _fill_people_lists(world: World) -> None:
    put = world.store.put
    for name, order, color, is_default in LEAD_STATUSES:
        put("leads_status", name=name, statusorder=order, color=color, isdefault=is_default)
    for name in LEAD_SOURCES:
        put("leads_sources", name=name)
    for name in CUSTOMER_GROUPS:
        put("customers_groups", name=name)
    for name in TAGS:
        put("tags", name=name)
    for name in ("Newsletter", "Phone calls", "Profiling"):
        put(
            "consent_purposes",
            name=name,
            description=f"We ask before we use your data for: {name.lower()}",
            date_created=world.days.stamp(world.days.first, 36000),
            last_updated=None,
        )


def _fill_support_lists(world: World) -> None:
    put, dice = world.store.put, world.dice("departments")
    for name in DEPARTMENTS:
        mailbox = f"{name.lower()}@gulf-studio.example"
        put(
            "departments",
            name=name,
            imap_username=mailbox,
            email=mailbox,
            email_from_header=0,
            host="imap.gulf-studio.example",
            password=f"fake-imap-{dice.hex32()}",
            encryption="tls",
            folder="INBOX",
            delete_after_import=0,
            calendar_id=f"{dice.hex32()}@group.calendar.example",
            hidefromclient=int(name == "Accounts"),
        )
    for name, is_default, color, order in TICKET_STATUSES:
        put("tickets_status", name=name, isdefault=is_default, statuscolor=color, statusorder=order)
    for name in TICKET_PRIORITIES:
        put("tickets_priorities", name=name)
    for name in SERVICES:
        put("services", name=name)
    for name in ("Welcome", "Need more details", "Solved"):
        put("tickets_predefined_replies", name=name, message=f"<p>{name}. Best regards, {{staff_firstname}}</p>")
    for status, flag, color in (
        ("Cancelled", "cancelled", "#808080"),
        ("Processing", "processing", "#007bff"),
        ("Completed", "completed", "#28a745"),
    ):
        order = {"cancelled": 1, "processing": 2, "completed": 3}[flag]
        put("estimate_request_status", name=status, statusorder=order, color=color, flag=flag)
    for description in ("Check the figures", "Call the customer", "Update the documentation"):
        put("tasks_checklist_templates", description=description)
    for kind in ("proposals", "contracts"):
        put(
            "templates",
            name=f"Standard {kind[:-1]}",
            type=kind,
            addedfrom=ADMIN_ID,
            content=f"<h2>{kind.title()}</h2><p>Text agreed with our lawyers.</p>",
            content_type="html",
        )
