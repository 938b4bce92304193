"""The yardstick: the shortest correct script on the same SDK that sends one order once.

    python shortest_script.py URL SYMBOL SHARES

Correct means: however often it is run, the order is sent once. The id is a function of what is
ordered, it is looked up before it is sent, and the SDK may not send again by itself. Nothing is
judged, committed or recorded.
"""

import hashlib
import sys
import time
from typing import cast

from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.models import Order
from alpaca.trading.requests import MarketOrderRequest

ENDED = {"filled", "canceled", "expired", "rejected"}
POLL_SECONDS = 0.5


def main(url: str, symbol: str, shares: str) -> None:
    client = TradingClient("sim", "sim", url_override=url)
    client._retry = 0
    name = "script-" + hashlib.sha256(f"{symbol} {shares}".encode()).hexdigest()[:32]
    try:
        order = cast(Order, client.get_order_by_client_id(name))
    except APIError as error:
        if error.status_code != 404:
            raise
        request = MarketOrderRequest(
            symbol=symbol,
            qty=float(shares),
            side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY,
            client_order_id=name,
        )
        order = cast(Order, client.submit_order(request))
    pause = 0.0  # a market order is often filled at the first look
    while order.status.value not in ENDED:
        time.sleep(pause)
        pause = POLL_SECONDS
        order = cast(Order, client.get_order_by_client_id(name))
    sys.stdout.write(f"{order.status.value} {order.filled_qty} at {order.filled_avg_price}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
