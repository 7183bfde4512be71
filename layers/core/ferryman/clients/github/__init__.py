"""GitHub: how a deployment goes, shown on its commit, and the releases that semver tags make. Never in its way."""
