"""A Bybit V5 server on loopback: the venue model of the core behind the exchange's REST and socket API."""
