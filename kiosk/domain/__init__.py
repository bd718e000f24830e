"""Frozen values of the hospital's world: identity, money, visits, bills, reports, screening, paper."""
