"""Live with keys that GitHub holds: only where GitHub can keep them from a branch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.errors import ForgeUnavailable
from executor.hosting import live_refusal
from executor.model.settings import Settings
from executor.settings import parse_settings
from tests.forge.faults import Fault
from tests.forge.server import ForgeServer
from tests.scratch import shipped

NAME = "octo-owner/invest"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForgeServer]:
    with ForgeServer(tmp_path) as made:
        yield made


def private(server: ForgeServer, plan: str) -> None:
    def act(state: object) -> None:
        found = server.state.repository(NAME)
        assert found is not None
        found.is_private, found.plan = True, plan

    server.call(act)


def settings(mode: str = "live", acknowledged: str = "") -> Settings:
    return parse_settings(
        shipped(
            ('mode = "sim"', f'mode = "{mode}"'),
            ('number_ends_with = ""', 'number_ends_with = "1234"'),
            ('acknowledged_unprotected = ""', f'acknowledged_unprotected = "{acknowledged}"'),
        ).encode()
    )


def runner(server: ForgeServer) -> dict[str, str]:
    return {
        "GITHUB_TOKEN": "actions-token",
        "GITHUB_REPOSITORY": NAME,
        "GITHUB_API_URL": server.url,
    }


def test_live_is_refused_on_private_free_until_its_name_is_typed_out(server: ForgeServer) -> None:
    private(server, "free")
    refusal = live_refusal(settings(), runner(server))
    assert refusal is not None
    assert "has no environments, so whoever can push can read the keys" in refusal
    assert live_refusal(settings(acknowledged="octo-owner/other"), runner(server)) == refusal
    assert live_refusal(settings(acknowledged=NAME), runner(server)) is None


def test_live_is_allowed_where_environments_are_kept(server: ForgeServer) -> None:
    assert live_refusal(settings(), runner(server)) is None
    private(server, "pro")
    assert live_refusal(settings(), runner(server)) is None


def test_outside_live_and_outside_github_nothing_is_asked(server: ForgeServer) -> None:
    private(server, "free")
    assert live_refusal(settings("paper"), runner(server)) is None
    assert live_refusal(settings(), {}) is None
    assert server.forge.log == []


def test_without_an_answer_nothing_is_decided(server: ForgeServer) -> None:
    fault = Fault("server_error", {"path": f"/repos/{NAME}"}, parameters={"status": 502})
    server.call(lambda _: server.forge.faults.add(fault))
    with pytest.raises(ForgeUnavailable):
        live_refusal(settings(), runner(server))
