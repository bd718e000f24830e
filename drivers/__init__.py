"""Devices: transports, framing, and per device a codec, a driver, an emulator and PROTOCOL.md."""
