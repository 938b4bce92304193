"""Facts that are asked for beside the broker: live's agreements."""

from __future__ import annotations

from pathlib import Path

from executor.gather import missing_agreements
from tests.checks.builders import settings
from tests.forge.server import ForgeServer
from tests.forge.state import State

NAME = "octo-owner/invest"
LIVE = settings(mode="live", account={"number_ends_with": "1234"})
AGREED = {"AUTOINVESTOR_MODE": "live"}


def _private(state: State) -> None:
    found = state.repository(NAME)
    assert found is not None
    found.is_private, found.plan = True, "free"


def test_what_github_protects_is_one_of_lives_agreements(tmp_path: Path) -> None:
    with ForgeServer(tmp_path) as server:
        environment = {
            **AGREED,
            "GITHUB_TOKEN": "actions-token",
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_API_URL": server.url,
        }
        assert missing_agreements(LIVE, environment, asked=True) == ()
        server.call(_private)
        (missing,) = missing_agreements(LIVE, environment, asked=True)
        assert "whoever can push can read the keys" in missing
        # In the middle of a plan nobody is asked.
        assert missing_agreements(LIVE, environment, asked=False) == ()


def test_every_missing_agreement_is_told_and_none_outside_live() -> None:
    unnamed = settings(mode="live")
    assert len(missing_agreements(unnamed, {}, asked=True)) == 2
    assert missing_agreements(LIVE, AGREED, asked=True) == ()
    assert missing_agreements(settings(mode="paper"), {}, asked=True) == ()
    assert missing_agreements(settings(), {}, asked=True) == ()
