"""In the jobs of a test, Alpaca's addresses lead to the test's exchange, as a name server would.

Nothing else is different: mode paper, its keys, its checks and its approval are what they are.
"""

from __future__ import annotations

import os
from typing import Any

import requests.adapters

ALPACA = ("https://paper-api.alpaca.markets", "https://data.alpaca.markets")
_send = requests.adapters.HTTPAdapter.send


def send(
    self: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, *rest: Any, **more: Any
) -> requests.Response:
    """Send to where the exchange is."""
    for address in ALPACA:
        if request.url is not None and request.url.startswith(f"{address}/"):
            request.url = os.environ["STANDIN_MARKET"] + request.url.removeprefix(address)
    return _send(self, request, *rest, **more)


requests.adapters.HTTPAdapter.send = send  # type: ignore[method-assign]
