"""What GitHub itself enforces, held against what is wanted: environments and rulesets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from executor.model.hosting import Call, Drift, Environment, Hosting, Ruleset, Tier, Unread
from executor.model.settings import Settings

BY_SETUP: Final = "`autoinvestor setup --apply` does it"

ONLY_MAIN: Final = {"name": "main", "type": "branch"}
LIMITED: Final = {"protected_branches": False, "custom_branch_policies": True}

HISTORY, APPROVAL = "history", "approval"
"""The two rulesets; each is a file of that name in `.github/rulesets/`."""

EXEMPT: Final = "exempt"
"""How the App stands to `approval`: its commits through the API would be refused otherwise."""


LOOSER_IF_TRUE: Final = "do_not_enforce_on_create"
"""The one parameter that names what is not enforced."""

ALLOWED: Final = "allowed_merge_methods"
"""The one list that names what may be done; each other one asks for something."""

ALL: Final = "~ALL"
"""What includes every branch."""


def is_ready(environment: Environment | Unread | None) -> bool:
    """True where an environment was read, and nothing but main may use it."""
    if not isinstance(environment, Environment) or isinstance(environment.policies, Unread):
        return False
    names = [(one.name, one.kind) for one in environment.policies]
    return environment.is_limited and names == [("main", "branch")]


def environment_drifts(hosting: Hosting, name: str) -> Iterator[Drift]:
    """One environment: it is there, and limited to main, and no job of it waits for anybody."""
    seen = hosting.environments[name]
    if hosting.tier is Tier.PRIVATE_FREE or isinstance(seen, Unread):
        return
    where, wanted = f"environment {name}", "only main may use it"
    parts = ("environments", name)
    policies = (*parts, "deployment-branch-policies")
    allow_main = Call("POST", policies, ONLY_MAIN)
    if seen is None:
        make = Call("PUT", parts, {"deployment_branch_policy": LIMITED})
        yield Drift(where, "not there", wanted, BY_SETUP, (make, allow_main))
        return
    if not seen.is_limited:
        observed = "branches other than main may use it"
        limit = Call("PUT", parts, _kept(seen) | {"deployment_branch_policy": LIMITED})
        yield Drift(where, observed, wanted, BY_SETUP, (limit, allow_main))
    elif not isinstance(seen.policies, Unread) and not is_ready(seen):
        others = [one for one in seen.policies if (one.name, one.kind) != ("main", "branch")]
        drop = [Call("DELETE", (*policies, one.id)) for one in others]
        lacks = len(others) == len(seen.policies)
        observed = "main may not use it" if lacks else ""
        if others:
            names = ", ".join(f"{one.kind} `{one.name}`" for one in others)
            observed = "; ".join(filter(None, (observed, f"{names} may")))
        calls = (*([allow_main] if lacks else []), *drop)
        yield Drift(where, observed, wanted, BY_SETUP, calls)
    if seen.reviewers or seen.wait_minutes:
        yield Drift(
            where,
            "its jobs wait for a reviewer or a timer",
            "no wait: a job that waits holds up every later one, exits too",
            f"take it out, GitHub → Settings → Environments → {name}",
        )


def _kept(seen: Environment) -> dict[str, Any]:
    """What a PUT would otherwise reset, and no more: a plan refuses what it does not have."""
    kept: dict[str, Any] = {}
    if seen.wait_minutes:
        kept["wait_timer"] = seen.wait_minutes
    if seen.reviewers:
        kept["reviewers"] = [{"type": kind, "id": number} for kind, number in seen.reviewers]
        kept["prevent_self_review"] = seen.prevents_self_review
    return kept


def ruleset_drifts(
    hosting: Hosting,
    files: Mapping[str, Mapping[str, Any] | None],
    settings: Settings | None,
) -> Iterator[Drift]:
    """Both rulesets: `history` wherever there are rulesets, `approval` once there is an App."""
    for name in (HISTORY, APPROVAL):
        if files.get(name) is None:
            path = f".github/rulesets/{name}.json"
            yield Drift(path, "missing, or no JSON", "the ruleset", "restore it from the template")
    if hosting.tier is Tier.PRIVATE_FREE or isinstance(hosting.rulesets, Unread):
        return
    history, approval = files.get(HISTORY), files.get(APPROVAL)
    if history is not None:
        yield from _ruleset(hosting, history)
    app = hosting.app
    if isinstance(app, int) and settings is not None and approval is not None:
        yield from _ruleset(hosting, approval_wanted(approval, app, settings))
    seen = hosting.ruleset(APPROVAL)
    if app is None and seen is not None and seen.is_active:
        yield Drift(
            f"ruleset {APPROVAL}",
            "in force, and [github] bot_id is 0",
            "an App that may pass it: GitHub Actions' own token cannot, so no result is written",
            "set up an App (README, On GitHub), or disable the ruleset until then",
        )


def approval_wanted(document: Mapping[str, Any], app: int, settings: Settings) -> Mapping[str, Any]:
    """The ruleset `approval` of this repository: with its App, and a review where one is asked."""
    reviews = 1 if settings.approval.policy == "review" else 0
    rules = [
        {**rule, "parameters": {**rule["parameters"], "required_approving_review_count": reviews}}
        if rule["type"] == "pull_request"
        else rule
        for rule in document["rules"]
    ]
    actor = {"actor_id": app, "actor_type": "Integration", "bypass_mode": EXEMPT}
    return {**document, "rules": rules, "bypass_actors": [actor]}


def _ruleset(hosting: Hosting, wanted: Mapping[str, Any]) -> Iterator[Drift]:
    name = wanted["name"]
    where, seen = f"ruleset {name}", hosting.ruleset(name)
    said = f"as in .github/rulesets/{name}.json"
    if seen is None:
        yield Drift(where, "not there", said, BY_SETUP, (Call("POST", ("rulesets",), wanted),))
        return
    wrong = differences(wanted, seen)
    if wrong:
        mend = Call("PUT", ("rulesets", seen.id), _mended(wanted, seen.document))
        yield Drift(where, "; ".join(wrong), said, BY_SETUP, (mend,))


def _mended(wanted: Mapping[str, Any], seen: Mapping[str, Any]) -> Mapping[str, Any]:
    """A ruleset as wanted, with whatever somebody made stricter."""
    told = _told(seen)
    rules = [
        {**rule, "parameters": _stricter(rule["parameters"], told.get(rule["type"], {}))}
        if "parameters" in rule
        else rule
        for rule in wanted["rules"]
    ]
    types = {rule["type"] for rule in wanted["rules"]}
    others = [rule for rule in seen.get("rules") or () if rule["type"] not in types]
    conditions = wanted["conditions"]
    if _covers(seen.get("conditions"), conditions):
        conditions = seen["conditions"]
    return {**wanted, "conditions": conditions, "rules": [*rules, *others]}


def _told(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The parameters of each rule, by its type."""
    return {rule["type"]: rule.get("parameters") or {} for rule in document.get("rules") or ()}


def _stricter(wanted: Mapping[str, Any], seen: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters of a rule: whatever of them is at least as strict as wanted, and the rest."""
    found = dict(wanted)
    for key, one in seen.items():
        value = wanted.get(key, one)
        if _is_as_strict(key, one, value):
            found[key] = one
        elif isinstance(value, list) and isinstance(one, list) and key != ALLOWED:
            # Something of ours is lacking; what somebody asks for beside it stays.
            ours = {_name(each) for each in value}
            found[key] = [*value, *(each for each in one if _name(each) not in ours)]
    return found


def _name(one: object) -> str:
    """Of a required check its context, whoever is to post it."""
    return str(one.get("context")) if isinstance(one, Mapping) else str(one)


def _is_as_strict(key: str, seen: object, wanted: object) -> bool:
    """True where what is set asks for what is wanted, or for more."""
    if isinstance(wanted, bool):
        return seen is wanted or seen is (key != LOOSER_IF_TRUE)
    if isinstance(wanted, int):
        return isinstance(seen, int) and seen >= wanted
    if isinstance(wanted, list) and isinstance(seen, list):
        here, there = _members(seen), _members(wanted)
        return here == there if key == ALLOWED else here >= there
    return seen == wanted


def _covers(seen: object, wanted: Mapping[str, Any]) -> bool:
    """True where conditions hold for every branch that the wanted ones hold for."""
    names = seen.get("ref_name") if isinstance(seen, Mapping) else None
    if not isinstance(names, Mapping) or names.get("exclude"):
        return False
    included, asked = set(names.get("include") or ()), set(wanted["ref_name"]["include"])
    return ALL in included or asked <= included


def differences(wanted: Mapping[str, Any], seen: Ruleset) -> Sequence[str]:
    """In which points a ruleset is not as wanted; what is stricter than that does not count."""
    document = seen.document
    wrong = [
        f"another {key}" for key in ("target", "enforcement") if document.get(key) != wanted[key]
    ]
    if not _covers(document.get("conditions"), wanted["conditions"]):
        wrong.append("another conditions")
    told = _told(document)
    for rule in wanted["rules"]:
        if rule["type"] not in told:
            wrong.append(f"without the rule {rule['type']}")
            continue
        for key, value in rule.get("parameters", {}).items():
            found = told[rule["type"]].get(key)
            if not _is_as_strict(key, found, value):
                wrong.append(f"{rule['type']}: {key} is not {_shown(value)}")
    if "bypass_actors" in document and _actors(document) != _actors(wanted):
        wrong.append("others may bypass it, or the App may not")
    return wrong


def _members(value: list[Any]) -> set[str]:
    """A list without its order: GitHub need not keep it."""
    return {repr(sorted(one.items()) if isinstance(one, dict) else one) for one in value}


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(
            str(one.get("context")) if isinstance(one, dict) else str(one) for one in value
        )
    return str(value).lower()


def _actors(document: Mapping[str, Any]) -> set[tuple[object, object, object]]:
    listed = document["bypass_actors"] or ()
    return {(one.get("actor_type"), one.get("actor_id"), one.get("bypass_mode")) for one in listed}
