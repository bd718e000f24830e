"""Commands to cards, the slot, and pcscd itself."""
