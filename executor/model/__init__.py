"""Nouns: frozen values, Decimal, aware datetimes. Nothing here reads, writes or asks the time."""
