"""The loop: event, step, record, effects, view. One thread owns all state."""
