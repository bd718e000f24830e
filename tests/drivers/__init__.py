"""Codecs, drivers and emulators, over cables that misbehave."""
