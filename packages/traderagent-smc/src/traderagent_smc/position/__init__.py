"""Helpers for a position once it is taken: its size, its stop, and how far it went."""
