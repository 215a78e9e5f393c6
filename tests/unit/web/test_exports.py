"""What is told of an export beside its rows, and what a worker does not load for nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.web.exports import disposition


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/api/v1/invoices", 'attachment; filename="invoices.csv"'),
        ("/api/v1/clients/12/invoices", 'attachment; filename="clients-12-invoices.csv"'),
        ("/api/v1/order%20line", "attachment; filename=\"order_line.csv\"; filename*=UTF-8''order%20line.csv"),
        ("/api/v1/K%C3%BCnde", "attachment; filename=\"K_nde.csv\"; filename*=UTF-8''K%C3%BCnde.csv"),
        ("/api/v1/a%22b%0D%0A", "attachment; filename=\"a_b_.csv\"; filename*=UTF-8''a%22b%0D%0A.csv"),
        ("/api/v1/x/a%2Fb/y", 'attachment; filename="x-a-b-y.csv"'),
    ],
)
def test_a_file_is_named_after_the_path(path: str, value: str) -> None:
    """With a plain name for every client and the real one for those that read it (RFC 6266, section 4.3)."""
    assert disposition(path, "csv") == value


def test_libraries_of_formats_are_loaded_when_they_are_needed() -> None:
    """They would cost every worker memory: Arrow's alone as much as the rest together."""
    text = "import gateway.web.app, sys; print(sorted({'pyarrow', 'xlsxwriter'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
