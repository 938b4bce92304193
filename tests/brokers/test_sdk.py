"""What is sent is the SDK's, and what it does on its own is switched off."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import alpaca
import pytest

from executor.brokers import sdk
from executor.brokers.sdk import SDK_VERSION, SdkTransport, addresses
from executor.errors import UsageError
from executor.model.account import Mode
from tests.brokers.support import KEY, SECRET, rig


def test_the_sdk_sends_with_its_own_headers() -> None:
    with rig("http") as made:
        made.broker.account()
        headers = made.exchange.requests[0].headers
        assert headers["User-Agent"].startswith(f"APCA-PY/{SDK_VERSION} ")
        assert headers["APCA-API-KEY-ID"] == KEY
        assert headers["APCA-API-SECRET-KEY"] == SECRET


def test_the_version_is_the_pinned_one() -> None:
    assert importlib.metadata.version("alpaca-py") == SDK_VERSION


def test_the_trading_client_sends_in_the_same_way() -> None:
    """The reason why its base class is enough: it overrides nothing of the way out.

    Read, not imported: that would take as long as the rest of these tests.
    """
    source = Path(alpaca.__file__).parent / "trading" / "client.py"
    classes = [one for one in ast.parse(source.read_text()).body if isinstance(one, ast.ClassDef)]
    (client,) = (one for one in classes if one.name == "TradingClient")
    assert [base.id for base in client.bases if isinstance(base, ast.Name)] == ["RESTClient"]
    own = {one.name for one in client.body if isinstance(one, ast.FunctionDef)}
    assert "submit_order" in own
    assert not own & {
        *("_request", "_one_request", "_get_auth_headers", "_get_default_headers"),
        *("get", "post", "delete"),
    }


def test_the_hosts_of_each_mode() -> None:
    assert addresses(Mode.PAPER) == {
        "trading": "https://paper-api.alpaca.markets",
        "data": "https://data.alpaca.markets",
    }
    assert addresses(Mode.LIVE)["trading"] == "https://api.alpaca.markets"
    for given in ("http://127.0.0.1:7", "http://127.0.0.1:7/", "http://127.0.0.1:7/v2/"):
        assert addresses(Mode.SIM, given) == {
            "trading": "http://127.0.0.1:7",
            "data": "http://127.0.0.1:7",
        }


def test_an_exchange_address_is_for_sim_alone() -> None:
    assert addresses(Mode.LIVE, "http://127.0.0.1:7") == addresses(Mode.LIVE)


@pytest.mark.parametrize("url", [None, "", "127.0.0.1:7", "ftp://x", "http://", "http://a:b@c"])
def test_no_address(url: str | None) -> None:
    with pytest.raises(UsageError, match="AUTOINVESTOR_EXCHANGE_URL"):
        addresses(Mode.SIM, url)


@pytest.mark.parametrize("key", ["", "abc def ghi", "abcdefghi\n", "abcdefghü"])
def test_a_key_that_no_header_can_carry_is_named_but_not_shown(key: str) -> None:
    with pytest.raises(UsageError, match="ALPACA_API_KEY") as caught:
        SdkTransport(Mode.SIM, key, "secret", "http://127.0.0.1:7")
    assert not key or key.strip() not in str(caught.value)
    with pytest.raises(UsageError, match="ALPACA_SECRET_KEY"):
        SdkTransport(Mode.SIM, "key", key, "http://127.0.0.1:7")


@pytest.mark.parametrize(
    "client",
    [
        SimpleNamespace(),
        SimpleNamespace(_retry=3),
        SimpleNamespace(_retry=None, _session=SimpleNamespace(request=print)),
        SimpleNamespace(_retry=3, _session=SimpleNamespace(send=print)),
    ],
)
def test_another_sdk_is_refused_by_its_version(client: object) -> None:
    with pytest.raises(UsageError, match=f"alpaca-py=={SDK_VERSION}"):
        sdk._require_names(client)


def test_a_path_without_a_version_is_our_mistake() -> None:
    with (
        SdkTransport(Mode.SIM, KEY, SECRET, "http://127.0.0.1:7") as transport,
        pytest.raises(AssertionError),
    ):
        transport.ask("trading", "GET", "/orders")


PATIENCE_SECONDS = 20
"""How long a request waits for the others before the test fails."""


class Echo(BaseHTTPRequestHandler):
    """Answers with the path that was asked for, once all that are awaited have come."""

    protocol_version = "HTTP/1.1"
    together: ClassVar[threading.Barrier]
    connections: ClassVar[Counter[int]]

    def do_GET(self) -> None:
        self.together.wait(PATIENCE_SECONDS)
        self.connections[self.client_address[1]] += 1
        body = json.dumps(self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Stay quiet."""


def test_every_request_under_way_has_a_client_to_itself_and_connections_are_kept() -> None:
    class Eight(Echo):
        together = threading.Barrier(8)
        connections: ClassVar[Counter[int]] = Counter()

    with ThreadingHTTPServer(("127.0.0.1", 0), Eight) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with SdkTransport(Mode.SIM, KEY, SECRET, url, concurrency=8) as transport:
            paths = [f"/v2/{number}" for number in range(40)]
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda path: transport.ask("trading", "GET", path), paths))
            lines = len(transport._lines)
        server.shutdown()
    assert [json.loads(one.body) for one in answers] == paths
    assert lines == 8
    assert list(Eight.connections.values()) == [5] * 8


def test_every_request_has_a_timeout_and_follows_no_redirect() -> None:
    with SdkTransport(Mode.SIM, KEY, SECRET, "http://127.0.0.1:7") as transport:
        for line in transport._lines:
            assert line.client._retry == 0
            assert line.client._session.request.__module__ == "executor.brokers.sdk"
