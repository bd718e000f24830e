"""The camera as a scanner."""
