"""The edge: writes the configuration of nginx (docker/nginx/) for one node, and runs it."""
