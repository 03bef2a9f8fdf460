"""The engine: `Engine.step(event)` is the only code that changes orders, wants and ledgers. No I/O, no clock."""
