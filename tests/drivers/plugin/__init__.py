"""Vendor libraries in their own process."""
