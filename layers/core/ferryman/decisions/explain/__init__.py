"""Why an environment runs what it runs, and why a newer release does not run yet. Pure."""
