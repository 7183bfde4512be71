"""The API, its migrations and the AI gateway on real servers, and CI's own scripts."""
