"""The DCA strategy."""
