"""One module and one .kv file a page."""
