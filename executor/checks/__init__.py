"""The pre-trade checks: one file is one check, found by listing this folder."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from executor.model.rule import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every check, by name. A file of this folder that is no check fails here, at once."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    rules = tuple(import_module(f"{__name__}.{name}").RULE for name in names)
    for name, rule in zip(names, rules, strict=True):
        assert isinstance(rule, Rule), f"checks/{name}.py has no rule of its own"
        assert rule.id == name, f"checks/{name}.py names its rule {rule.id}"
    return rules
