"""Verbs, pure: the same arguments give the same answer, and nothing is touched."""
