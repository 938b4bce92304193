"""The exchange's endpoints: one module a resource of Alpaca's API, one table of all of them."""

from __future__ import annotations

from executor.exchange.routes import (
    account,
    activities,
    assets,
    configurations,
    controls,
    corporate,
    data,
    history,
    market,
    orders,
    positions,
)
from executor.exchange.routes.call import Call, Handler, Route

ROUTES: tuple[Route, ...] = (
    *account.ROUTES,
    *activities.ROUTES,
    *assets.ROUTES,
    *configurations.ROUTES,
    *controls.ROUTES,
    *corporate.ROUTES,
    *data.ROUTES,
    *history.ROUTES,
    *market.ROUTES,
    *orders.ROUTES,
    *positions.ROUTES,
)
"""Method, path pattern and handler of every endpoint."""

__all__ = ["ROUTES", "Call", "Handler", "Route"]
