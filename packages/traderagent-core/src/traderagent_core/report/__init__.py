"""Metrics, result files and the HTML report of a simulated run."""
