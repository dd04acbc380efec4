"""Verdicts and results as text and data. Pure."""
