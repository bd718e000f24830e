"""The screen. Draws a view, sends touches; no database, no keys, no network, no devices."""
