"""The adapter: Bybit V5 behind the port that the core trades through."""
