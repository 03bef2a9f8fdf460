"""The trend strategy."""
