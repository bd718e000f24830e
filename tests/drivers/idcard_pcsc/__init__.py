"""ID card readers on PC/SC."""
