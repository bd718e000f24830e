"""The keyboard wedge scanner."""
