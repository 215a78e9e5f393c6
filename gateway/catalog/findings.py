"""What building a catalog finds beside the catalog: mistakes, absences, warnings.

The one mutable thing of the build, made anew for each: the steps add to it, so that
an administrator reads all mistakes at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.catalog.exposure import Mark, Name, Problem
from gateway.catalog.model import Absence
from gateway.catalog.naming import suggestion


@dataclass(slots=True)
class Findings:
    """Problems by their place, absences and warnings in the order they were found."""

    problems: list[Problem] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def problem(self, mark: Mark, message: str) -> None:
        """Note a mistake of the whitelist."""
        self.problems.append(Problem(mark, message))

    def unknown(self, what: str, name: Name, known: Iterable[str], where: str = "") -> None:
        """Note a name that nothing knows, with the nearest one that something does."""
        place = f" in {where}" if where else ""
        self.problem(name.mark, f'unknown {what} "{name.text}"{place}{suggestion(name.text, known)}')

    def absence(self, what: str, reason: str) -> None:
        """Note what this database lacks."""
        found = Absence(what, reason)
        if found not in self.absences:
            self.absences.append(found)

    def warn(self, text: str) -> None:
        """Note what is allowed and yet should be seen."""
        self.warnings.append(text)

    def sorted_problems(self) -> tuple[Problem, ...]:
        """The mistakes in the order of the file."""
        return tuple(sorted(self.problems, key=lambda found: (found.mark.file, found.mark.line, found.mark.column)))
