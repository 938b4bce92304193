"""The yardstick of many orders: the bare script that sends them as fast, several at a time.

    python concurrent_script.py URL WORKERS SYMBOL ...

It buys one share of each symbol over the SDK's bare `RESTClient`, one client a thread, and then
asks for the list of orders until all of them have ended. Nothing is judged, looked up, committed or
recorded; run twice, it buys twice.
"""

import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import local
from typing import Any

from alpaca.common.rest import RESTClient

ENDED = {"filled", "canceled", "expired", "rejected"}
POLL_SECONDS = 0.5


def main(url: str, workers: str, *symbols: str) -> None:
    thread = local()

    def client() -> RESTClient:
        if not hasattr(thread, "client"):
            thread.client = RESTClient(url, "sim", "sim", raw_data=True)
            thread.client._retry = 0
        found: RESTClient = thread.client
        return found

    def send(symbol: str) -> Any:
        fields = {"symbol": symbol, "qty": "1", "side": "buy", "type": "market"}
        fields |= {"time_in_force": "day", "client_order_id": uuid.uuid4().hex}
        return client().post("/orders", fields)

    with ThreadPoolExecutor(int(workers)) as pool:
        sent = list(pool.map(send, symbols))
    wanted = {one["id"] for one in sent}
    pause = 0.0  # market orders are often filled at the first look
    while True:
        time.sleep(pause)
        pause = POLL_SECONDS
        listed: Any = client().get("/orders", {"status": "all", "limit": "500"})
        done = {one["id"] for one in listed if one["status"] in ENDED}
        if wanted <= done:
            break
    first = ", ".join(one["symbol"] for one in islice(sent, 3))
    sys.stdout.write(f"{len(sent)} orders ended: {first} ...\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
