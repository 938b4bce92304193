"""Effects: one file is one broker."""
