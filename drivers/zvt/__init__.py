"""ZVT payment pads over serial and TCP."""
