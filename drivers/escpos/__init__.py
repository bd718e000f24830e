"""80 mm receipt printers that speak ESC/POS: encoder, decoder, picture, driver, emulator."""
