"""Credentials of exchanges: encrypted in the database, opened with a key that is never there."""
