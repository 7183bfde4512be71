"""Builds container images and pushes them to the local registry: without Docker (`oci.py`), or from Dockerfiles."""
