"""The hospital as the terminal sees it: the messages, and the client that carries them."""
