"""What `./run` needs before the project can run: package lists and the preparation of fonts."""
