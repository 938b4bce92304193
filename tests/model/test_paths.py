from __future__ import annotations

from pathlib import Path

import pytest

from executor.model.paths import RULE_PATHS, RULES, PathKind, kind_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("trading_instructions.json", PathKind.PLAN),
        ("Trading_Instructions.json", PathKind.CODE),
        ("strategy_reviews/2026-01/review_2026-01-14T14-30-00.json", PathKind.REVIEW),
        ("strategy_reviews/README.md", PathKind.OTHER),
        ("trading_instructions_history/2026-01/instructions_x.json", PathKind.HISTORY),
        ("trading_instructions_history/README.md", PathKind.OTHER),
        ("execution_results/account.json", PathKind.HISTORY),
        ("execution_results/trading_state.json", PathKind.HISTORY),
        ("autoinvestor.toml", PathKind.SETTINGS),
        ("executor/checks/daily_loss.py", PathKind.CODE),
        ("executor/checks/README.md", PathKind.CODE),
        ("schemas/trading_instructions.schema.json", PathKind.CODE),
        ("pyproject.toml", PathKind.CODE),
        ("requirements.txt", PathKind.CODE),
        ("Makefile", PathKind.CODE),
        ("sitecustomize.py", PathKind.CODE),
        ("json/__init__.py", PathKind.CODE),
        (".gitmodules", PathKind.CODE),
        (".github/workflows/execute.yml", PathKind.WORKFLOWS),
        (".github/CODEOWNERS", PathKind.OWNERS),
        ("CODEOWNERS", PathKind.OWNERS),
        (".gitattributes", PathKind.OWNERS),
        (".ci/run", PathKind.WORKFLOWS),
        ("README.md", PathKind.OTHER),
        ("LICENSE", PathKind.OTHER),
        (".gitignore", PathKind.OTHER),
        ("tests/test_cli.py", PathKind.OTHER),
    ],
)
def test_a_path_is_sorted(path: str, kind: PathKind) -> None:
    assert kind_of(path) is kind


def test_every_rule_that_is_looked_for_is_one_and_exists() -> None:
    for root in RULE_PATHS:
        path = f"{root}/x" if (ROOT / root).is_dir() else root
        assert kind_of(path) in RULES
        assert (ROOT / root).exists()
