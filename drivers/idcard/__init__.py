"""Readers of second-generation ID cards and residence permits (SDT / SAM_V protocol)."""
