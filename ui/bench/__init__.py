"""The demo's bench: a second window beside the terminal's, to do there what hands would do.

Only a demo starts it. It knows nothing of the terminal: it speaks to the demo (protocol.py), which
turns the emulators' knobs.
"""
