"""The contract runs over both transports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.brokers.support import Kind, Rig, rig


@pytest.fixture(params=["http", "engine"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return "http" if request.param == "http" else "engine"


@pytest.fixture
def both(kind: Kind) -> Iterator[Rig]:
    with rig(kind) as made:
        yield made
