"""Effects: this repository as the database."""
