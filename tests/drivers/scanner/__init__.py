"""The serial scanner."""
