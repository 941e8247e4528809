"""Audit: who did what to which data, written in the same transaction as what it records."""
