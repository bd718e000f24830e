"""A4 printers over IPP: codec, HTTP exchange, driver, emulator, and Debian's ippeveprinter."""
