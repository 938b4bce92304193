"""Runs that die: a plan whose intent is on main and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from executor.commands.execute import execute
from executor.model.ledger import Ledger
from executor.model.order import OrderRequest, Submission
from executor.model.settings import Settings
from executor.ports import Broker
from executor.wiring import World, open_world
from tests.fakes.progress import Heard
from tests.scratch import Repository, plan


class Died(BaseException):
    """The process is gone; nothing catches it."""


def validated_only(repository: Repository, now: str = "2026-01-14T15:12:00Z") -> None:
    """Commit a plan and let its run die when it wants to send the first order."""
    repository.commit_plan(plan(reason="it dies"), "2026-01-14T15:11:00Z")
    with open_world(repository.folder, now) as world, pytest.raises(Died):
        execute(_dying(world), Heard(), submit=True)


def _dying(world: World) -> World:
    @contextmanager
    def connect(settings: Settings, ledger: Ledger) -> Iterator[Broker]:
        with world.connect(settings, ledger) as broker:

            def dies(_requests: tuple[OrderRequest, ...]) -> tuple[Submission, ...]:
                raise Died

            broker.submit_all = dies  # type: ignore[method-assign, assignment]
            yield broker

    return replace(world, connect=connect)
