"""Test kit for authors of plugins."""
