"""How much of everything a scale holds."""

from dataclasses import dataclass
from typing import Literal

ScaleName = Literal["tiny", "demo", "bench"]


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers of rows to make; ``detail`` is the share of invoices that get a full timeline and custom fields."""

    staff: int
    leads: int
    clients: int
    projects: int
    invoices: int
    estimates: int
    proposals: int
    contracts: int
    expenses: int
    tasks: int
    tickets: int
    detail: float


SCALES: dict[ScaleName, Scale] = {
    "tiny": Scale(8, 24, 14, 5, 60, 12, 12, 8, 20, 36, 14, 1.0),
    "demo": Scale(10, 320, 240, 60, 2000, 220, 120, 70, 260, 520, 170, 1.0),
    "bench": Scale(12, 15000, 12000, 3000, 200000, 15000, 5000, 3000, 12000, 25000, 8000, 0.25),
}
