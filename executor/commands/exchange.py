"""Exchange: serve the embedded Alpaca-compatible exchange to any client."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from executor.console import Console
from executor.errors import ExitCode, UsageError
from executor.exchange.engine import REQUESTS_A_MINUTE, Exchange
from executor.exchange.opening import Opening
from executor.exchange.prices import DEFAULT_SEED, PriceSource, SeededPrices
from executor.exchange.recorded import RecordedPrices
from executor.exchange.server import run as serve
from executor.exchange.sessions import sessions_named
from executor.reports.blocks import Line
from executor.reports.reply import Reply
from executor.wiring import read_clock


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("--port", type=_port, default=8765, metavar="N", help="0: a free one")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="the price path")
    parser.add_argument("--prices", type=Path, metavar="FILE", help="recorded prices instead")
    parser.add_argument(
        "--calendar", choices=("always", "nyse"), default="always", help="its hours"
    )
    parser.add_argument("--now", metavar="TIME", help="start at this time")
    parser.add_argument("--key", metavar="ID:SECRET", help="the only key accepted (default: any)")
    parser.add_argument(
        "--rate-limit",
        type=int,
        default=REQUESTS_A_MINUTE,
        metavar="N",
        help="requests a minute; 0: none",
    )
    parser.add_argument(
        "--latency-ms",
        type=_latency,
        default=0.0,
        metavar="N",
        help="how much later each answer is",
    )


def run(options: argparse.Namespace, console: Console) -> Reply:
    """Serve until interrupted."""
    clock = read_clock(options.now)
    exchange = Exchange(
        _prices(options),
        sessions_named(options.calendar),
        clock.now,
        Opening(),
        keys=_keys(options.key),
        rate_limit=options.rate_limit,
        pace=time.time,
    )

    def announce(url: str) -> None:
        lines = (
            Line(f"exchange: {url} (trading and market data; its clock and faults under /sim)"),
            Line(f"stop with Ctrl-C; in sim, use it with AUTOINVESTOR_EXCHANGE_URL={url}", "faint"),
        )
        console.show(lines)

    serve(exchange, options.port, announce, options.latency_ms / 1000)
    return Reply(ExitCode.DONE, {"state": "stopped"})


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _latency(text: str) -> float:
    if not (text.isascii() and text.isdecimal() and int(text) <= 60_000):
        raise argparse.ArgumentTypeError("a latency is a number of milliseconds from 0 to 60000")
    return float(text)


def _prices(options: argparse.Namespace) -> PriceSource:
    if options.prices is not None:
        return RecordedPrices(options.prices)
    return SeededPrices(options.seed)


def _keys(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    key, mark, secret = text.partition(":")
    if not (key and mark and secret):
        raise UsageError("--key: write it as ID:SECRET")
    return key, secret
