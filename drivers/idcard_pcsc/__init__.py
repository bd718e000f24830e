"""ID card readers that give the card over PC/SC by a command of their own."""
