"""Where the browser of the tests comes from."""

from __future__ import annotations

import os
from urllib.request import urlopen

import pytest

from tests.support import browser
from tests.support.browser import Elsewhere, NoBrowserError


def test_who_may_not_install_the_browser_is_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests that need it say so when they are skipped."""
    monkeypatch.setattr(browser, "find_binary", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)

    with pytest.raises(NoBrowserError, match="apt-get install chromium"):
        browser.ensure_installed()


@pytest.mark.parametrize(("ci", "due"), [("1", 1), ("", 0)])
def test_only_in_ci_a_missing_browser_is_a_failure(monkeypatch: pytest.MonkeyPatch, ci: str, due: int) -> None:
    """Elsewhere `make test` goes on without it."""
    monkeypatch.setattr(browser, "find_binary", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    monkeypatch.setenv("CI", ci)

    assert browser.main() == due


def test_a_site_of_elsewhere_notes_what_it_was_asked_for() -> None:
    """So that a test sees whether anything got out."""
    with Elsewhere.started() as site:
        with urlopen(f"{site.origin}/some/page?x=1") as answer:
            content = answer.read()
        assert site.asked == ["/some/page?x=1"]

    assert b"<title>" in content
