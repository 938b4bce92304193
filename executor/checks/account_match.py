"""The account is the one that the settings name, and it may trade."""

from __future__ import annotations

from collections.abc import Iterator

from executor.model.account import Mode, short_number
from executor.model.context import Context
from executor.model.rule import Finding, Rule, no
from executor.model.settings import SETTINGS_PATH

BLOCKS = {
    "trading_blocked": "the broker blocks trading",
    "account_blocked": "the broker blocks the account",
    "trade_suspended_by_user": "its owner suspended trading",
}


def judge(context: Context) -> Iterator[Finding]:
    """Compare number, status and flags; name each agreement that live still lacks."""
    account = context.facts.account
    assert account is not None, "the check names `account` in its needs"
    shown = short_number(account.account_number)
    ending = context.settings.account.number_ends_with
    if not ending and context.settings.mode is not Mode.SIM:
        yield no(
            None,
            observed=f"account {shown}; the settings name none",
            limit=f"the account's last four characters in {SETTINGS_PATH}",
            remedy="set [account] number_ends_with to the last four of the account that is meant",
        )
    elif not account.account_number.endswith(ending):
        yield no(
            None,
            observed=f"account {shown}",
            limit=f"the account whose number ends with {ending}",
            remedy="use that account's keys, or name this account in [account] number_ends_with",
        )
    if account.status != "ACTIVE":
        yield no(
            None,
            observed=f"account {shown}: status {account.status}",
            limit="status ACTIVE",
            remedy="settle it with the broker until the status is ACTIVE",
        )
    for flag, meaning in BLOCKS.items():
        if getattr(account, flag):
            yield no(
                None,
                observed=f"account {shown}: {meaning} ({flag})",
                limit="an account that is not blocked",
                remedy=f"have {flag} lifted at the broker",
            )
    for missing in context.facts.live_agreements:
        yield no(
            None,
            observed=missing,
            limit="the three agreements of live",
            remedy="complete them, or use mode sim or paper",
        )


RULE = Rule(id="account_match", judge=judge, needs=frozenset({"account"}), judges_exits=True)
