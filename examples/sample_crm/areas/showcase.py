"""What the documentation's questions ask for, at every scale: written last, so that no other row is another for it.

The customers who pay most this month have projects; invoice 42 has payments, and its customer contracts.
"""

from sample_crm.areas.contracts import add_contract
from sample_crm.areas.documents import log_sales
from sample_crm.areas.projects import add_project
from sample_crm.dice import Dice
from sample_crm.world import Client, Shown, World

_MOST_PAYERS = 12
_CONTRACTS = ((3, 400), (1, 90))
"""What the contracts of the shown customer are like (`contracts.add_contract`), and how many days old."""


def fill_showcase(world: World) -> None:
    """Add the rows that the three questions of the README are about."""
    dice = world.dice("showcase")
    for rank, client in enumerate(_payers(world)):
        _add_projects(world, dice, rank, client)
    if world.shown is not None:
        _settle(world, world.shown)
        _add_contracts(world, dice, world.shown)


def _payers(world: World) -> list[Client]:
    """Return who paid most this month, the most first."""
    by_id = {client.id: client for client in world.clients}
    ranks = sorted(world.payers.items(), key=lambda entry: (-entry[1], entry[0]))
    return [by_id[key] for key, _ in ranks[:_MOST_PAYERS]]


def _add_projects(world: World, dice: Dice, rank: int, client: Client) -> None:
    """Give a customer without projects one or two, but for every fourth: not everybody who pays has a project."""
    if client.projects or rank % 4 == 3:
        return
    for number in range(1 + rank % 2):
        start = max(client.created, -dice.between(30, 500))
        add_project(world, dice, rank + number, client, start)


def _settle(world: World, shown: Shown) -> None:
    invoice, agent = shown.invoice, shown.agent
    first = shown.paid * 3 // 5
    for after, amount in ((3, first), (24, shown.paid - first)):
        day = min(0, invoice.day + after)
        world.store.put(
            "invoicepaymentrecords",
            invoiceid=invoice.id,
            amount=amount,
            paymentmode="1",
            date=world.days.text(day),
            daterecorded=world.days.stamp(day, 39600),
            note="Received with thanks",
            transactionid=f"REF{invoice.id:05d}",
        )
        stamp, staff = world.days.stamp(day, 50400), (str(agent.id), agent.name)
        log_sales(world, ("invoice", invoice.id), "invoice_activity_payment_made_by_staff", stamp, staff)


def _add_contracts(world: World, dice: Dice, shown: Shown) -> None:
    client = shown.invoice.client
    assert client is not None
    for number, age in _CONTRACTS:
        add_contract(world, dice, number, client, max(client.created, -age))
