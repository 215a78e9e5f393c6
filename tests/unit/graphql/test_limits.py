"""Limits: the settings' numbers, and refusals that say what was passed and by how much."""

from __future__ import annotations

from typing import get_args

import pytest

from gateway.graphql.faults import DocumentError
from gateway.graphql.limits import MOST_COUNTED, Limits, Measure, check, limits_of
from gateway.settings import Settings


def test_the_settings_and_the_limits_have_the_same_defaults() -> None:
    """So that what a test shows without settings is what is served."""
    assert limits_of(Settings()) == Limits()


def test_every_setting_reaches_its_limit() -> None:
    """None of them is read and forgotten."""
    settings = Settings(
        graphql_max_tokens=11,
        graphql_max_document_bytes=102,
        graphql_max_depth=3,
        graphql_max_aliases=4,
        graphql_max_complexity=5,
        graphql_max_introspection_depth=6,
        graphql_introspection=False,
        max_body_bytes=2_000,
        max_bulk_body_bytes=3_000,
    )

    assert limits_of(settings) == Limits(11, 102, 3, 4, 5, 6, is_introspection_open=False, texts=3_000)


@pytest.mark.parametrize("measure", get_args(Measure))
def test_a_refusal_names_the_measure_the_cost_and_the_limit(measure: Measure) -> None:
    """In words and for programs, with what to do about it."""
    check(measure, 7, 7)
    with pytest.raises(DocumentError) as caught:
        check(measure, 8, 7, locations=[(1, 2)])

    assert caught.value.code == "query_too_large"
    assert dict(caught.value.extensions) == {"measure": measure, "cost": 8, "limit": 7}
    assert caught.value.locations == ((1, 2),)
    assert "7" in caught.value.detail
    assert "8" in caught.value.detail
    assert "{" not in caught.value.detail


def test_counting_ends_somewhere() -> None:
    """Fragments in fragments come to numbers that JSON cannot hold."""
    with pytest.raises(DocumentError) as caught:
        check("selections", 2**500, 7)

    assert caught.value.extensions["cost"] == MOST_COUNTED
