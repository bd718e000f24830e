"""Vendor libraries (health card with PSAM, insurer component) in a process of their own."""
