"""Bank MIS-POS pads on a serial line (DF tags)."""
