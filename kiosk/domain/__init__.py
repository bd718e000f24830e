"""Frozen values of the hospital's world: identity, money, visits, bills, screening, paper."""
