"""An example of a third-party plugin: a strategy, an entry filter and a risk mode."""
