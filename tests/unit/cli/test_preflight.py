"""What no restart would mend ends the command before a worker starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.loading import preflight
from gateway.errors import ConfigurationError
from gateway.settings import Settings
from tests.support.identity import AUDIENCE, ISSUER, jwk, jwks


def test_a_file_without_keys_is_told_before_a_worker_starts(tmp_path: Path) -> None:
    """Workers that all die of it would say it many times."""
    path = tmp_path / "keys.json"
    path.write_bytes(b"{}")
    settings = Settings(jwt_keys=str(path), jwt_issuer=ISSUER, jwt_audience=AUDIENCE)
    with pytest.raises(ConfigurationError, match=r"GATEWAY_JWT_KEYS: .*keys\.json holds no keys"):
        preflight(settings, is_demo=False)

    path.write_bytes(jwks(jwk("P-256")))
    with pytest.raises(ConfigurationError, match="No database is set"):  # the next thing that is looked at
        preflight(settings, is_demo=False)
