"""Rows for people and screens, folded from the journal: the same entries give the same rows."""
