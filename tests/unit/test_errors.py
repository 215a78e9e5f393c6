"""The registry of errors, the tree of exceptions, and the documentation of both agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway import errors
from gateway.errors import FIELD_CODES, REGISTRY, ConfigurationError, GatewayError, Issue, SchemaChangedError

DOCS = Path(__file__).parents[2] / "docs" / "errors.md"
STATUSES = {400, 401, 403, 404, 405, 406, 408, 409, 412, 413, 414, 415, 429, 431, 422, 500, 503, 504}


def documented(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading of the page."""
    section = DOCS.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in rows]


def test_every_code_is_documented_as_the_registry_has_it() -> None:
    """Code, status, title and meaning, in the same order; nothing more and nothing less."""
    assert documented("Codes") == [
        [kind.code, ", ".join(map(str, kind.statuses)), kind.title, kind.summary] for kind in REGISTRY.values()
    ]


def test_every_field_code_is_documented() -> None:
    """The codes inside a 422 too."""
    assert documented("Field codes") == [[code, meaning] for code, meaning in FIELD_CODES.items()]


def test_what_to_do_is_said_for_every_status() -> None:
    """A reader finds advice for each status that can be answered."""
    advice = DOCS.read_text(encoding="utf-8").split("What to do with them:")[1].split("## Field codes")[0]

    assert {int(number) for number in re.findall(r"\b[45]\d\d\b", advice)} >= {
        status for kind in REGISTRY.values() for status in kind.statuses
    }


@pytest.mark.parametrize("code", REGISTRY)
def test_codes_are_stable_words_with_a_known_status(code: str) -> None:
    """Lower case, a status of the contract, a title without a full stop and a summary with one."""
    kind = REGISTRY[code]

    assert re.fullmatch(r"[a-z][a-z_]*[a-z]", code)
    assert STATUSES.issuperset(kind.statuses)
    assert not kind.title.endswith(".")
    assert kind.summary.endswith(".")


def test_an_error_needs_a_registered_code() -> None:
    """An invented code fails where it is written, not where it is rendered."""
    with pytest.raises(KeyError):
        GatewayError("no_such_code", "whatever")


def test_an_error_knows_its_status_and_place() -> None:
    """A parameter given alone becomes the one issue."""
    error = errors.RequestError("field_unknown", "No field x.", parameter="sort", suggestion="y")

    assert (error.status, error.kind.title, str(error)) == (400, "Unknown field", "No field x.")
    assert error.issues == (Issue("No field x.", parameter="sort", suggestion="y"),)


def test_an_unknown_outcome_is_a_failure_or_a_conflict() -> None:
    """503 for the write itself, 409 for whoever asks again with its key: one code, since the advice is one."""
    assert errors.UnavailableError("outcome_unknown", "x").status == 503
    assert errors.UnrecordedError("x").status == 409


def test_given_issues_are_kept_as_they_are() -> None:
    """A 422 names every field."""
    issues = (
        Issue("too long", pointer="/company", code="too_long"),
        Issue("missing", pointer="/name", code="required"),
    )

    assert errors.ValidationError("fields_invalid", "Two fields are wrong.", issues=issues).issues == issues


def test_headers_of_an_error_cannot_be_changed() -> None:
    """An error object may be shared, so it is frozen where it matters."""
    error = errors.CredentialError("token_missing", "x", headers={"WWW-Authenticate": "Bearer"})
    with pytest.raises(TypeError):
        error.headers["X"] = "y"  # type: ignore[index]  # that it fails is the point


def test_every_class_of_the_tree_is_drawn() -> None:
    """The module's docstring shows every exception a caller can meet."""
    tree = errors.__doc__ or ""
    classes = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, GatewayError)]

    assert [item.__name__ for item in classes if item.__name__ not in tree and item is not SchemaChangedError] == []


def test_a_configuration_error_prints_one_problem_per_line() -> None:
    """So that an administrator mends all of them in one go."""
    assert str(ConfigurationError("Two mistakes:", ["first", "second"])) == "Two mistakes:\nfirst\nsecond"
