"""Hot-plug on real ports: each kind of device, its states, and what must happen in each."""
