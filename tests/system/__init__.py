"""The three programs with every device on a real port; stories of what goes wrong."""
