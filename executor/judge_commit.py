"""Judge the plan at a commit with the account as it is: what a reviewer wants to know.

Limits and record come from main, never from the commit that is judged.
"""

from __future__ import annotations

from executor.checks import all_rules
from executor.decisions.plan import plan_orders
from executor.decisions.validate import judge
from executor.errors import ExitCode, UsageError
from executor.gather import gather
from executor.main_state import MainState, read_plan
from executor.model.context import Context
from executor.model.facts import Moment
from executor.model.plan import PLAN_PATH
from executor.model.verdict import Answer, Verdict
from executor.reports.blocks import Block, Line
from executor.reports.execution import orders_table, protection_lines
from executor.reports.reply import Reply
from executor.reports.verdicts import verdict_report
from executor.wiring import World

NOT_HERE = "judged when the plan is executed, or on GitHub"


def judge_commit(world: World, name: str, commit: str) -> Reply:
    """Judge the plan at a commit.

    Args:
        world: the ports.
        name: how the commit was named, for the report.
        commit: the commit.

    Raises:
        UsageError: there is no plan at that commit.
        AutoInvestorError: the broker or the repository did not answer.
    """
    data = world.book.read(PLAN_PATH, commit)
    added = world.book.last_change(PLAN_PATH, commit)
    if data is None or added is None:
        raise UsageError(f"{name}: there is no {PLAN_PATH}; commit the plan there first")
    main = MainState(world.book, world.book.head())
    plan = read_plan(data, added)
    if plan.plan is None:
        return _reply(name, plan.digest, plan.problems, ())
    with world.connect(main.settings, main.ledger) as broker:
        facts = gather(
            broker,
            main,
            plan,
            moment=Moment.PULL_REQUEST,
            now=world.clock.now(),
            environment=world.environment,
        )
    context = Context(plan.plan, main.settings, facts)
    judgment = judge(context, all_rules())
    orders = plan_orders(
        plan.proposal,
        plan_digest=plan.digest,
        repository=main.settings.repository,
        going=judgment.going,
        available={symbol: context.free_to_sell(symbol) for symbol in facts.positions or {}},
    )
    table = (Line("would send, in this order:"), orders_table(orders)) if orders else ()
    blocks = (*table, *protection_lines(plan.proposal))
    return _reply(name, plan.digest, judgment.verdicts, blocks)


def _reply(
    name: str, digest: str, verdicts: tuple[Verdict, ...], orders: tuple[Block, ...]
) -> Reply:
    refused = any(one.answer is Answer.NO for one in verdicts)
    data = {
        "ref": name,
        "plan_digest": digest,
        "answer": "no" if refused else "yes",
        "verdicts": [one.model_dump() for one in verdicts],
    }
    blocks = (*verdict_report(f"plan {digest[:8]} at {name}", verdicts, NOT_HERE), *orders)
    return Reply(ExitCode.REFUSED if refused else ExitCode.DONE, data, blocks)
