"""Faults of documents: what a client is told beside the sentence."""

from __future__ import annotations

from gateway.graphql.faults import DocumentError, InvalidDocumentError


def test_a_fault_says_where_it_stands_and_what_it_is_measured_by() -> None:
    """Places count from 1; extensions are for programs."""
    fault = DocumentError("graphql_invalid", "Wrong.", locations=[(2, 7)], path=["a", 0], extensions={"limit": 1})

    assert (fault.code, fault.status, fault.detail) == ("graphql_invalid", 400, "Wrong.")
    assert (fault.locations, fault.path, dict(fault.extensions)) == (((2, 7),), ("a", 0), {"limit": 1})


def test_several_faults_are_one_error_of_the_first_ones_code() -> None:
    """So that a log line and a status have one."""
    one, other = DocumentError("variables_invalid", "One."), DocumentError("variables_invalid", "Other.")

    error = InvalidDocumentError(iter([one, other]))

    assert (error.code, error.detail, error.faults) == ("variables_invalid", "One.", (one, other))
