"""A second process looks at the one that trades, and ends it when a plugin hangs."""
