"""Backups: the journals, their snapshots and the database in one file, and the way back."""
