"""The social security card."""
