"""From pushed images to releases: events, recording, assembly, semver tags, adoption, the sweep and moving tags."""
