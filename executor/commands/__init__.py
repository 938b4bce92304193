"""Verbs: one file is one verb. Each gathers facts, calls one decision and writes it down."""
