"""What is listed on the exchange: one table, and the asset that Alpaca's API shows for each row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Instrument:
    """One listed symbol."""

    symbol: str
    name: str
    venue: str
    """Where it is listed, in Alpaca's words: NASDAQ, NYSE, ARCA."""
    base_price: Decimal
    """USD a share at the anchor minute of the seeded price path."""
    daily_volatility: float
    """Standard deviation of a day's move in log-price: 0.02 is 2 %."""
    daily_volume: int
    """Shares that change hands on an average day."""
    active: bool = True
    tradable: bool = True
    fractionable: bool = True

    @property
    def asset_id(self) -> str:
        """The asset's id at Alpaca: a function of the symbol alone."""
        return stable_id("asset", self.symbol)

    def as_json(self) -> dict[str, object]:
        """Show the instrument as Alpaca's asset object."""
        return {
            "id": self.asset_id,
            "class": "us_equity",
            "exchange": self.venue,
            "symbol": self.symbol,
            "name": self.name,
            "status": "active" if self.active else "inactive",
            "tradable": self.active and self.tradable,
            "marginable": True,
            "maintenance_margin_requirement": 30,
            "margin_requirement_long": "30",
            "margin_requirement_short": "30",
            "shortable": False,
            "easy_to_borrow": False,
            "borrow_status": "hard_to_borrow",
            "fractionable": self.fractionable,
            "cusip": None,
            "attributes": [],
        }


@lru_cache(maxsize=4096)
def stable_id(*parts: str) -> str:
    """Make an id of a UUID's shape that is a function of its parts, so that every run agrees."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).digest()
    return str(UUID(bytes=digest, version=4))


def _row(
    symbol: str, name: str, venue: str, price: str, volatility: float, volume: int
) -> Instrument:
    return Instrument(symbol, name, venue, Decimal(price), volatility, volume)


# Prices of about January 2026. They need to be plausible, not right: nothing is redistributed.
_TABLE: Final = (
    _row("MU", "Micron Technology, Inc. Common Stock", "NASDAQ", "331.44", 0.032, 25_000_000),
    _row("AMD", "Advanced Micro Devices, Inc. Common Stock", "NASDAQ", "221.10", 0.031, 35_000_000),
    _row("TSM", "Taiwan Semiconductor Manufacturing ADS", "NYSE", "331.20", 0.022, 12_000_000),
    _row("NVDA", "NVIDIA Corporation Common Stock", "NASDAQ", "184.90", 0.025, 180_000_000),
    _row("AVGO", "Broadcom Inc. Common Stock", "NASDAQ", "346.30", 0.026, 24_000_000),
    _row("INTC", "Intel Corporation Common Stock", "NASDAQ", "45.60", 0.034, 90_000_000),
    _row("AAPL", "Apple Inc. Common Stock", "NASDAQ", "260.40", 0.015, 45_000_000),
    _row("MSFT", "Microsoft Corporation Common Stock", "NASDAQ", "472.80", 0.014, 22_000_000),
    _row("GOOGL", "Alphabet Inc. Class A Common Stock", "NASDAQ", "332.70", 0.018, 30_000_000),
    _row("AMZN", "Amazon.com, Inc. Common Stock", "NASDAQ", "241.50", 0.018, 38_000_000),
    _row(
        "META", "Meta Platforms, Inc. Class A Common Stock", "NASDAQ", "638.60", 0.019, 13_000_000
    ),
    _row("TSLA", "Tesla, Inc. Common Stock", "NASDAQ", "445.20", 0.035, 70_000_000),
    _row("NFLX", "Netflix, Inc. Common Stock", "NASDAQ", "90.30", 0.020, 40_000_000),
    _row("SPY", "SPDR S&P 500 ETF Trust", "ARCA", "692.10", 0.010, 70_000_000),
    _row("QQQ", "Invesco QQQ Trust, Series 1", "NASDAQ", "622.40", 0.012, 50_000_000),
    _row("IWM", "iShares Russell 2000 ETF", "ARCA", "261.30", 0.013, 30_000_000),
    _row("DIA", "SPDR Dow Jones Industrial Average ETF", "ARCA", "492.70", 0.010, 4_000_000),
    _row("TLT", "iShares 20+ Year Treasury Bond ETF", "NASDAQ", "87.90", 0.010, 35_000_000),
    _row("GLD", "SPDR Gold Shares", "ARCA", "424.60", 0.011, 10_000_000),
    _row("JPM", "JPMorgan Chase & Co. Common Stock", "NYSE", "312.50", 0.014, 9_000_000),
    _row("BAC", "Bank of America Corporation Common Stock", "NYSE", "54.20", 0.015, 35_000_000),
    _row("XOM", "Exxon Mobil Corporation Common Stock", "NYSE", "126.50", 0.014, 16_000_000),
    _row("UNH", "UnitedHealth Group Incorporated", "NYSE", "338.90", 0.018, 8_000_000),
    _row("JNJ", "Johnson & Johnson Common Stock", "NYSE", "213.40", 0.010, 8_000_000),
    _row("KO", "The Coca-Cola Company Common Stock", "NYSE", "71.20", 0.010, 15_000_000),
    _row("WMT", "Walmart Inc. Common Stock", "NASDAQ", "119.80", 0.012, 18_000_000),
    # Invented, one for each way in which an asset can be less than tradable.
    Instrument(
        "ZFRAC", "Test: not fractionable", "NYSE", Decimal("50"), 0.01, 500_000, fractionable=False
    ),
    Instrument("ZDEAD", "Test: inactive", "NYSE", Decimal("20"), 0.01, 0, active=False),
    Instrument("ZHALT", "Test: not tradable", "NYSE", Decimal("30"), 0.01, 0, tradable=False),
)

INSTRUMENTS: Final = {row.symbol: row for row in _TABLE}
"""Every symbol that the seeded prices know, by symbol."""


def listing(more: Iterable[str] = ()) -> dict[str, Instrument]:
    """List every instrument of the exchange, by symbol.

    Args:
        more: Symbols outside the table that a recorded price file brings; they become ordinary,
            fractionable shares.
    """
    listed = dict(INSTRUMENTS)
    for symbol in more:
        if symbol not in listed:
            name = f"{symbol} (recorded)"
            listed[symbol] = Instrument(symbol, name, "NYSE", Decimal(100), 0.02, 1_000_000)
    return listed
