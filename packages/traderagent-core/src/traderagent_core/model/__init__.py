"""Values of the trading model: instruments, candles, orders, fills, plans. No I/O."""
