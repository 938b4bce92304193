"""A loopback GitHub for each test, every answer of which is held to GitHub's description."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forge.contract import Contract
from tests.forge.rig import NAME, WORKFLOW, Clone, Rig
from tests.forge.server import ForgeServer


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository with a first commit, made once."""
    folder = tmp_path_factory.mktemp("seed")
    with ForgeServer(folder) as server:
        clone = Clone(
            server.git_url(NAME), folder / "work", "owner-token", ("Olivia", "olivia@example.com")
        )
        clone.write({"README.md": "A book.\n", ".github/workflows/validate.yml": WORKFLOW}, "Begin")
        clone.push("HEAD:main")
    return folder / "octo-owner" / "invest.git"


@pytest.fixture
def contract() -> Contract:
    return Contract()


@pytest.fixture
def rig(tmp_path: Path, seed: Path, contract: Contract) -> Iterator[Rig]:
    bare = tmp_path / "invest.git"
    shutil.copytree(seed, bare)
    with ForgeServer(tmp_path / "forks", path=bare) as server:
        server.forge.watchers.append(contract.watch)
        yield Rig(server, tmp_path)
    assert not contract.wrong, "\n".join(contract.wrong)
