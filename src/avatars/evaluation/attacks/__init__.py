"""Attacks on a release, by somebody who holds it and something else; each file one attack, with what it assumes."""
