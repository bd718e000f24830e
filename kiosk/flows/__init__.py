"""Pure flows, one file a business: step(state, event) -> (state, effects), view(state) -> page."""
