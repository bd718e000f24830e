"""Every emulator as a program of its own, on a real port: `kiosk emulate NAME`."""
