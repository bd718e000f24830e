"""Device ends of real cables: each runs an Emulator behind a real port, in a thread of its own."""
