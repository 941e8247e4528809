"""Judges avatars, made here or anywhere."""
