"""Conformance kits: classes of cases that the tests of a plugin inherit."""
