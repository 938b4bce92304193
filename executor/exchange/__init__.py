"""An exchange that speaks Alpaca's API, for sim mode, the demo and as the tests' counterpart."""
