"""The core of TraderAgent."""
