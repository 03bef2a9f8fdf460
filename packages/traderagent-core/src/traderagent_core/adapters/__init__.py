"""The port of exchanges: tools that adapters share, and the two that trade in the venue model."""
