"""The contract runs over both transports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.brokers.support import Kind, Rig, rig

# Nothing here is measured: a busy machine must not fail a test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(params=["http", "engine"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return "http" if request.param == "http" else "engine"


@pytest.fixture
def both(kind: Kind) -> Iterator[Rig]:
    with rig(kind) as made:
        yield made
