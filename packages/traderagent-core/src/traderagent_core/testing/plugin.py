"""The pytest plugin that comes with the core: fixtures for authors of plugins."""
