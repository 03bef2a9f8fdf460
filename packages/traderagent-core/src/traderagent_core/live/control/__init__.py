"""The control channel of a run: a socket in its folder that needs no database, chat or dashboard."""
