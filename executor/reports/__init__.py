"""Text, pure: what people read, worked out from values; nothing here can act."""
