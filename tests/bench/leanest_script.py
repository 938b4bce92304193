"""A second yardstick: the shortest script again, on the SDK's bare `RESTClient`.

    python leanest_script.py URL SYMBOL SHARES

Nobody would write it first, as the SDK's documentation names the trading client only. It spares
that client's import, which is most of the shortest script's time; so does `execute`.
"""

import hashlib
import sys
import time
from typing import Any

from alpaca.common.exceptions import APIError
from alpaca.common.rest import RESTClient

ENDED = {"filled", "canceled", "expired", "rejected"}
POLL_SECONDS = 0.5


def main(url: str, symbol: str, shares: str) -> None:
    client = RESTClient(url, "sim", "sim", raw_data=True)
    client._retry = 0
    name = "script-" + hashlib.sha256(f"{symbol} {shares}".encode()).hexdigest()[:32]
    by_name = ("/orders:by_client_order_id", {"client_order_id": name})
    order: Any
    try:
        order = client.get(*by_name)
    except APIError as error:
        if error.status_code != 404:
            raise
        fields = {"symbol": symbol, "qty": shares, "side": "buy", "client_order_id": name}
        order = client.post("/orders", {**fields, "type": "market", "time_in_force": "day"})
    pause = 0.0  # a market order is often filled at the first look
    while order["status"] not in ENDED:
        time.sleep(pause)
        pause = POLL_SECONDS
        order = client.get(*by_name)
    sys.stdout.write(f"{order['status']} {order['filled_qty']} at {order['filled_avg_price']}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
