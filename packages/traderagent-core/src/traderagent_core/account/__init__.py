"""What the engine knows of its account: wants, orders, ledgers; a fold over records, needing no plugin."""
