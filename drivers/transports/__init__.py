"""Host ends of real cables: each opens a port and hands over a ByteStream."""
