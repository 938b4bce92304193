"""`/v2/assets`."""

from __future__ import annotations

from executor.exchange.messages import Response, json_response, not_found
from executor.exchange.routes.call import Call, Route


def list_assets(call: Call) -> Response:
    """List what is listed, by the filters `status`, `asset_class` and `exchange`."""
    status, venue = call.query("status", "all"), call.query("exchange")
    shown = [
        asset
        for instrument in call.desk.instruments.values()
        if (asset := instrument.as_json())
        and status in ("all", asset["status"])
        and venue in ("", asset["exchange"])
        and call.query("asset_class", "us_equity") == asset["class"]
    ]
    return json_response(200, shown)


def get_asset(call: Call) -> Response:
    """Show one asset, by symbol or id."""
    wanted = call.parameters["symbol"]
    instrument = call.desk.instrument(wanted)
    if instrument is None:
        raise not_found(f"asset not found for {wanted}")
    return json_response(200, instrument.as_json())


ROUTES: tuple[Route, ...] = (
    ("GET", "/v2/assets", list_assets),
    ("GET", "/v2/assets/{symbol}", get_asset),
)
