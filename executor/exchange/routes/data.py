"""`/v2/stocks`: market data, whose numbers are JSON numbers and not strings, as at Alpaca."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from itertools import islice
from typing import Final

from executor.exchange.bars import Span, bar_json, read_timeframe, spans
from executor.exchange.messages import Refusal, Response, json_response, stamp
from executor.exchange.prices import EPOCH, floor_minute, quote_at
from executor.exchange.routes.call import Call, Route
from executor.exchange.sessions import MINUTE, Session

_FEEDS: Final = ("", "iex", "sip", "delayed_sip", "otc", "boats", "overnight")
_TAPES: Final = {"NYSE": "A", "NASDAQ": "C"}
_VENUE: Final = "V"
"""IEX, whose quotes Alpaca's free plan shows."""
_SIZE: Final = 100


def latest_quotes(call: Call) -> Response:
    """Show the latest quote of each symbol; unknown ones are left out."""
    shown = {symbol: quote for symbol in _wanted(call) if (quote := _quote(call, symbol))}
    return json_response(200, {"quotes": shown})


def latest_quote(call: Call) -> Response:
    """Show the latest quote of one symbol."""
    symbol = _one(call)
    quote = _quote(call, symbol)
    if quote is None:
        raise Refusal(404, None, f"no quote found for {symbol}")
    return json_response(200, {"symbol": symbol, "quote": quote})


def latest_trades(call: Call) -> Response:
    """Show the latest trade of each symbol; unknown ones are left out."""
    shown = {symbol: trade for symbol in _wanted(call) if (trade := _trade(call, symbol))}
    return json_response(200, {"trades": shown})


def latest_trade(call: Call) -> Response:
    """Show the latest trade of one symbol."""
    symbol = _one(call)
    trade = _trade(call, symbol)
    if trade is None:
        raise Refusal(404, None, f"no trade found for {symbol}")
    return json_response(200, {"symbol": symbol, "trade": trade})


def snapshots(call: Call) -> Response:
    """Show a snapshot of each symbol; unknown ones are left out."""
    shown = {symbol: snapshot for symbol in _wanted(call) if (snapshot := _snapshot(call, symbol))}
    return json_response(200, shown)


def snapshot_of_one(call: Call) -> Response:
    """Show a snapshot of one symbol."""
    symbol = _one(call)
    shown = _snapshot(call, symbol)
    if shown is None:
        raise Refusal(404, None, f"no snapshot found for {symbol}")
    return json_response(200, {"symbol": symbol, **shown})


def bars(call: Call) -> Response:
    """Show bars of several symbols, by symbol and then time."""
    page, token = _page(call, sorted(_wanted(call)))
    shown: dict[str, list[dict[str, object]]] = {}
    for symbol, bar in page:
        shown.setdefault(symbol, []).append(bar)
    return json_response(200, {"bars": shown, "next_page_token": token})


def bars_of_one(call: Call) -> Response:
    """Show bars of one symbol."""
    symbol = _one(call)
    page, token = _page(call, [symbol])
    shown = [bar for _, bar in page]
    return json_response(200, {"bars": shown, "symbol": symbol, "next_page_token": token})


def _quote(call: Call, symbol: str) -> dict[str, object] | None:
    price = call.desk.last_price(symbol, call.now)
    if price is None:
        return None
    quote = quote_at(price)
    return {
        "t": stamp(call.now),
        "ax": _VENUE,
        "ap": float(quote.ask),
        "as": _SIZE,
        "bx": _VENUE,
        "bp": float(quote.bid),
        "bs": _SIZE,
        "c": ["R"],
        "z": _tape(call, symbol),
    }


def _trade(call: Call, symbol: str) -> dict[str, object] | None:
    price = call.desk.last_price(symbol, call.now)
    if price is None:
        return None
    sessions = call.desk.sessions
    open_now = sessions.current(call.now) is not None
    at = floor_minute(call.now) if open_now else sessions.previous(call.now).closes - MINUTE
    return {
        "t": stamp(at),
        "x": _VENUE,
        "p": float(price),
        "s": _SIZE,
        "c": ["@"],
        "i": (at - EPOCH) // MINUTE,
        "z": _tape(call, symbol),
    }


def _snapshot(call: Call, symbol: str) -> dict[str, object] | None:
    """Show the latest trade, quote and minute, the latest session and the one before it."""
    quote, trade = _quote(call, symbol), _trade(call, symbol)
    if quote is None or trade is None:
        return None
    sessions = call.desk.sessions
    session = sessions.current(call.now)
    latest = session or sessions.previous(call.now)
    before = sessions.previous(latest.opens)
    minute = floor_minute(call.now) if session else latest.closes - MINUTE
    known = latest._replace(closes=min(latest.closes, minute + MINUTE))
    parts = {
        "minuteBar": Span(minute, (Session(latest.day, minute, minute + MINUTE),)),
        "dailyBar": Span(sessions.midnight(latest.day), (known,)),
        "prevDailyBar": Span(sessions.midnight(before.day), (before,)),
    }
    priced = {
        name: bar
        for name, span in parts.items()
        if (bar := bar_json(call.desk.prices, sessions, symbol, span))
    }
    return {"latestTrade": trade, "latestQuote": quote, **priced}


def _tape(call: Call, symbol: str) -> str:
    return _TAPES.get(call.desk.instruments[symbol].venue, "B")


def _page(call: Call, symbols: list[str]) -> tuple[list[tuple[str, dict[str, object]]], str | None]:
    """Cut one page out of all bars that the query asks for, with the token of the next."""
    limit = call.whole("limit", 1_000, 10_000)
    offset = _read_token(call.query("page_token"))
    found = list(islice(_all_bars(call, symbols), offset, offset + limit + 1))
    token = base64.b64encode(str(offset + limit).encode()).decode()
    return found[:limit], token if len(found) > limit else None


def _all_bars(call: Call, symbols: list[str]) -> Iterator[tuple[str, dict[str, object]]]:
    sessions, prices = call.desk.sessions, call.desk.prices
    timeframe = read_timeframe(call.query("timeframe"))
    start = call.time("start") or sessions.midnight(sessions.day_of(call.now))
    end = min(call.time("end") or call.now, call.now)
    chosen = list(spans(sessions, timeframe, start, end, call.now))
    if call.query("sort", "asc") == "desc":
        chosen.reverse()
    for symbol in symbols:
        for span in chosen if symbol in call.desk.instruments else []:
            bar = bar_json(prices, sessions, symbol, span)
            if bar is not None:
                yield symbol, bar


def _read_token(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Refusal(400, None, "invalid page_token") from error


def _wanted(call: Call) -> tuple[str, ...]:
    _require_feed(call)
    symbols = call.symbols()
    if not symbols:
        raise Refusal(400, None, "symbols are required")
    return symbols


def _one(call: Call) -> str:
    _require_feed(call)
    return call.parameters["symbol"].upper()


def _require_feed(call: Call) -> None:
    feed = call.query("feed")
    if feed not in _FEEDS:
        raise Refusal(400, None, f"invalid feed: {feed}")


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/stocks/quotes/latest", latest_quotes),
    ("GET", "/v2/stocks/{symbol}/quotes/latest", latest_quote),
    ("GET", "/v2/stocks/trades/latest", latest_trades),
    ("GET", "/v2/stocks/{symbol}/trades/latest", latest_trade),
    ("GET", "/v2/stocks/snapshots", snapshots),
    ("GET", "/v2/stocks/{symbol}/snapshot", snapshot_of_one),
    ("GET", "/v2/stocks/bars", bars),
    ("GET", "/v2/stocks/{symbol}/bars", bars_of_one),
)
