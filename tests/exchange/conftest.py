"""Warnings of other people's imports, which are not errors of ours."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # The SDK imports a deprecated part of a websocket library that the exchange never uses.
    config.addinivalue_line(
        "filterwarnings", "ignore:websockets.legacy is deprecated:DeprecationWarning"
    )
