"""The refusals of rules, in one form."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import Issue, ValidationError
from gateway.query.judged import at_fault, pointer


def fault(column: str, code: str, message: str, path: str = "") -> Issue:
    """Return what is wrong with one field, for a 422 that names several; ``path`` as in `refused`."""
    return Issue(f"{column}: {message}", pointer=path + pointer(column), code=code)


def raise_any(issues: Sequence[Issue]) -> None:
    """Pass when nothing is wrong.

    Raises:
        ValidationError: ``fields_invalid`` naming every field at fault.
    """
    if issues:
        raise at_fault(issues)


def refused(column: str, code: str, message: str, path: str = "") -> ValidationError:
    """Return the 422 for one field; ``path`` is the pointer of the nested row it stands in (``/items/0``)."""
    return at_fault([Issue(f"{column}: {message}", pointer=path + pointer(column), code=code)])


def computed(column: str, message: str = "the CRM computes this value", path: str = "") -> ValidationError:
    """Return the 422 for a value that only the CRM's own rules set."""
    return refused(column, "computed", message, path)
