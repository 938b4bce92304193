"""One plan, or one settling, at the broker: sending, waves, protection, news."""
