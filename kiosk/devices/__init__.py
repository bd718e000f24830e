"""Drivers' verbs as the engine's ports: thin, and the only place where both sides are seen.

A driver's fault becomes either an event of the flows (declined, not printed, silent) or a
DeviceFault, on which the worker drops the connection, opens it again and looks.
"""
