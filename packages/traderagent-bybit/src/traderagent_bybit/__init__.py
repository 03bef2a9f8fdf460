"""Bybit V5 for TraderAgent."""
