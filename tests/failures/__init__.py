"""Each device × each state × each failure: one table a device, no cell empty."""
