"""The ID card reader."""
