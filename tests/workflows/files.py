"""The workflow files as they lie in `.github/workflows`, read as YAML 1.2: `on` is a word there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / ".github" / "workflows"


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a workflow."""

    workflow: str
    """File name without its ending."""
    name: str
    keys: Mapping[str, Any]

    @property
    def where(self) -> str:
        return f"{self.workflow}.{self.name}"

    @property
    def condition(self) -> str:
        return " ".join(str(self.keys.get("if", "")).split())

    @property
    def permissions(self) -> Mapping[str, str]:
        return dict(self.keys.get("permissions") or {})

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        return list(self.keys["steps"])

    @property
    def writes(self) -> bool:
        return "write" in self.permissions.values()

    @property
    def has_secrets(self) -> bool:
        return "secrets." in str(self.keys)

    def uses(self, action: str) -> list[Mapping[str, Any]]:
        """Its steps that use an action."""
        return [one for one in self.steps if str(one.get("uses", "")).startswith(f"{action}@")]


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow file."""

    name: str
    """File name without its ending."""
    text: str
    keys: Mapping[str, Any]

    @classmethod
    def of(cls, name: str, text: str) -> Workflow:
        """Read one."""
        return cls(name, text, YAML(typ="safe", pure=True).load(text))

    @property
    def triggers(self) -> Mapping[str, Any]:
        found = self.keys["on"]
        if isinstance(found, str):
            return {found: {}}
        return {name: how or {} for name, how in found.items()}

    @property
    def jobs(self) -> list[Job]:
        return [Job(self.name, name, keys) for name, keys in self.keys["jobs"].items()]


def workflows() -> dict[str, Workflow]:
    """Every workflow by its name."""
    found = sorted(FOLDER.glob("*.yml"))
    return {one.stem: Workflow.of(one.stem, one.read_text("utf-8")) for one in found}


def jobs(of: Mapping[str, Workflow]) -> Iterator[Job]:
    """Every job."""
    for workflow in of.values():
        yield from workflow.jobs
