"""The terminal's client against real sockets."""
