"""Scanners that pose as keyboards (HID keyboard wedge), read below the desktop."""
