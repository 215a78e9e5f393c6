"""What the areas share while the sample CRM is made: the store, the calendar, the scale, and who exists already."""

from collections import Counter
from dataclasses import dataclass, field

from sample_crm.days import Days
from sample_crm.dice import Dice
from sample_crm.people import Company, Person
from sample_crm.scale import Scale
from sample_crm.store import Store, Value

ADMIN_ID = 1


@dataclass(frozen=True, slots=True)
class Employee:
    """One staff member; ``rate`` is cents per hour."""

    id: int
    name: str
    email: str
    rate: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class Lead:
    """One lead."""

    id: int
    person: Person
    company: Company
    email: str
    added: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """A lead that became a customer ``day`` days from today."""

    lead: Lead
    day: int


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact of a customer."""

    id: int
    person: Person
    email: str
    phone: str


@dataclass(slots=True)
class Client:
    """One customer; ``contacts`` begins with the primary one. Projects are added as they are made."""

    id: int
    company: Company
    label: str
    currency: int
    created: int
    contacts: tuple[Contact, ...]
    projects: list[int] = field(default_factory=list)

    def billing(self) -> dict[str, Value]:
        """Return the five billing columns that documents copy."""
        place = self.company.place
        return {
            "billing_street": self.company.street,
            "billing_city": place.city,
            "billing_state": place.state,
            "billing_zip": place.zip,
            "billing_country": self.company.country_id,
        }


@dataclass(frozen=True, slots=True)
class Project:
    """One project."""

    id: int
    client: Client
    name: str
    start: int
    status: int
    members: tuple[int, ...]
    milestones: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A remembered invoice, estimate, proposal, credit note or contract. ``total`` is in cents."""

    id: int
    client: Client | None
    day: int
    status: int
    total: int
    number: str = ""


@dataclass(frozen=True, slots=True)
class Billing:
    """An invoice line that bills an expense or a task."""

    line_id: int
    invoice_id: int
    client: Client
    day: int
    amount: int
    currency: int
    subject: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The invoice that the documentation asks for; ``paid`` cents of it have no payment yet."""

    invoice: Document
    agent: Employee
    paid: int


@dataclass(slots=True)
class World:
    """The sample CRM in the making. Lists hold everything of small kinds and a sample of the big ones."""

    store: Store
    days: Days
    scale: Scale
    seed: int
    staff: list[Employee] = field(default_factory=list)
    converted: list[Conversion] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)
    invoices: list[Document] = field(default_factory=list)
    estimates: list[Document] = field(default_factory=list)
    proposals: list[Document] = field(default_factory=list)
    credit_notes: list[Document] = field(default_factory=list)
    contracts: list[Document] = field(default_factory=list)
    billed_expenses: list[Billing] = field(default_factory=list)
    billed_tasks: list[Billing] = field(default_factory=list)
    expenses: list[int] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)
    tickets: list[int] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    shown: Shown | None = None
    payers: Counter[int] = field(default_factory=Counter)
    """What customers paid this month, in cents of whatever currency, by id."""

    def dice(self, area: str) -> Dice:
        """Return the area's own stream of chance."""
        return Dice(f"{self.seed}:{area}")

    def agent(self, dice: Dice) -> Employee:
        """Return one of the active staff members."""
        return self.staff[dice.below(len(self.staff) - 1)]

    def client_by(self, dice: Dice, day: int) -> Client:
        """Return a customer that exists on that day, the older ones more often."""
        known = self._known(day)
        return self.clients[int(known * dice.random() ** 1.4)]

    def _known(self, day: int) -> int:
        low, high = 1, len(self.clients)
        while low < high:
            middle = (low + high) // 2
            if self.clients[middle].created <= day:
                low = middle + 1
            else:
                high = middle
        return low


def breaks(text: str) -> str:
    """Return multi-line text as the CRM stores plain inputs: a break before every newline."""
    return text.replace("\n", "<br />\n")
