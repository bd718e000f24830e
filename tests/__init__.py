"""Tests mirror the packages; they own time and chance, and mock nothing."""
