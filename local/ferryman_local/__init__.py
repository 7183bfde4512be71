"""An AWS on the developer's machine: for development and tests only, it never ships."""
