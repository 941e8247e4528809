"""Utility metrics, one file per idea."""
