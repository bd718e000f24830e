"""What the terminal must not forget. Knows operations (key, kind, body, state), not hospitals."""
