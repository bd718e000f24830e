"""Code scanners on a serial line (RS-232 or USB-CDC)."""
