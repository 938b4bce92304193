"""The exchange's endpoints: one module a resource of Alpaca's API, one table of all of them."""

from __future__ import annotations

from executor.exchange.routes import account, assets, controls, data, market, orders, positions
from executor.exchange.routes.call import Call, Handler, Route

ROUTES: tuple[Route, ...] = (
    *account.ROUTES,
    *assets.ROUTES,
    *controls.ROUTES,
    *data.ROUTES,
    *market.ROUTES,
    *orders.ROUTES,
    *positions.ROUTES,
)
"""Method, path pattern and handler of every endpoint."""

__all__ = ["ROUTES", "Call", "Handler", "Route"]
