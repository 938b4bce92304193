"""How the repository is set up on GitHub, as far as a token may read it.

What could not be read is `Unread` with the reason, which is no statement about the thing itself:
nothing that is unread may be taken as fine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from executor.model.forge import Actor

ENVIRONMENTS: Final = ("sim", "paper", "live")
"""The environments that a workflow takes the broker's keys from: one for each mode."""

TRADING_ENABLED: Final = "TRADING_ENABLED"
"""The variable without which every workflow is inert; `true` lets them work."""

ENVIRONMENT_VARIABLE: Final = "AUTOINVESTOR_ENVIRONMENT"
"""The variable that names the environment of every job with secrets; not set: none."""

MODE_VARIABLE: Final = "AUTOINVESTOR_MODE"
"""The variable of the environment `live` that is one of the three agreements of live."""

BROKER_SECRETS: Final = ("ALPACA_API_KEY", "ALPACA_SECRET_KEY")
"""The broker's keys, by the names that the workflows know."""

WRITERS: Final = frozenset({"admin", "maintain", "write"})
"""Access with which a pull request can be merged."""


class Tier(StrEnum):
    """What GitHub enforces here: it depends on the owner's plan and on who may see it."""

    PUBLIC = "public"
    """Everything, and everybody may read."""
    PRIVATE_FREE = "private Free"
    """No rulesets, no environments: whoever can write can read every secret."""
    PRIVATE_PAID = "private Pro or Team"
    """Rulesets and environments; no required reviewers of environments."""
    UNKNOWN = "unknown"
    """GitHub did not say."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could not be read."""

    why: str
    """GitHub's answer, in a few words."""


@dataclass(frozen=True, slots=True)
class BranchPolicy:
    """One pattern of names that may use an environment."""

    id: int
    name: str
    kind: str = "branch"
    """`branch` or `tag`."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment."""

    name: str
    is_limited: bool
    """True where only named branches may use it."""
    policies: tuple[BranchPolicy, ...] | Unread = ()
    """The names that may; none unless it is limited."""
    reviewers: tuple[tuple[str, int], ...] = ()
    """Who must approve each job, as kind (`User`, `Team`) and number."""
    prevents_self_review: bool = False
    wait_minutes: int = 0
    secrets: frozenset[str] | Unread = frozenset()
    """Names; nobody can read a value."""
    variables: Mapping[str, str] | Unread = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """One ruleset of this repository."""

    id: int
    document: Mapping[str, Any]
    """As GitHub tells it; without `bypass_actors` where the token may not see them."""

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document.get("name"))

    @property
    def is_active(self) -> bool:
        """True where it is enforced."""
        return self.document.get("enforcement") == "active"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with access."""

    actor: Actor
    access: str
    """`admin`, `maintain`, `write`, `triage` or `read`."""

    @property
    def can_write(self) -> bool:
        """True where pull requests can be merged and branches pushed."""
        return self.access in WRITERS


@dataclass(frozen=True, slots=True)
class WorkflowRights:
    """What the token of a workflow may do where the workflow does not say."""

    default: str
    """`read` or `write`."""
    may_open_pull_requests: bool
    """GitHub's "Allow GitHub Actions to create and approve pull requests"."""


@dataclass(frozen=True, slots=True)
class Hosting:
    """The repository's set-up, read at one time."""

    name: str
    """`owner/name`."""
    owner: Actor
    is_private: bool
    default_branch: str
    tier: Tier
    may_administer: bool
    """True where whoever asks is an administrator. A token may still be narrower than its owner."""
    merging: Mapping[str, bool | str] | Unread
    """`allow_merge_commit` and so on."""
    environments: Mapping[str, Environment | Unread | None]
    """Each of `ENVIRONMENTS`; None where it is not there."""
    rulesets: tuple[Ruleset, ...] | Unread
    labels: frozenset[str] | Unread
    variables: Mapping[str, str] | Unread
    secrets: frozenset[str] | Unread
    """Names of the repository's own secrets, which a workflow on any branch can read."""
    actions_enabled: bool | Unread
    rights: WorkflowRights | Unread
    members: tuple[Member, ...] | Unread
    pages: Literal["none", "private", "public"] | Unread
    """Whether a site of Pages is served, and to whom."""
    accounts: Mapping[int, Actor | Unread | None] = field(default_factory=dict)
    """The accounts that the settings name; None where there is none of that number."""
    enabled_since: datetime | None = None
    """When the variable that enables trading was last set; None where nobody told."""
    app: int | Unread | None = None
    """Id of the App whose bot the settings name; None where they name none."""

    def writers(self) -> tuple[Member, ...]:
        """Who can merge; nobody where the members were not read."""
        if isinstance(self.members, Unread):
            return ()
        return tuple(one for one in self.members if one.can_write)

    def ruleset(self, name: str) -> Ruleset | None:
        """The ruleset of a name, where it is there and was read."""
        if isinstance(self.rulesets, Unread):
            return None
        return next((one for one in self.rulesets if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to GitHub's REST API that changes the set-up."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    parts: tuple[str | int, ...]
    """The path below the repository; none: the repository itself."""
    body: Mapping[str, Any] | None = None

    def words(self) -> str:
        """The request in a few words, without what it sends."""
        return f"{self.method} {'/'.join(map(str, self.parts)) or 'the repository'}"


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between what is wanted and what is."""

    where: str
    """The setting, such as `environment live`."""
    observed: str
    wanted: str
    remedy: str
    """What a person does, or what the calls do."""
    calls: tuple[Call, ...] = ()
    """What mends it, in order; none where only a person can."""
    writes: Mapping[str, str] = field(default_factory=dict)
    """Files of the work tree that mend it, for a person to commit."""

    def sentence(self) -> str:
        """What, where: observed, limit; remedy."""
        return f"{self.where}: {self.observed}; wanted: {self.wanted}; {self.remedy}"
