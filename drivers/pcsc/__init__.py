"""Smart cards over PC/SC: what travels to a card, and the reader's slot as a port of ours."""
