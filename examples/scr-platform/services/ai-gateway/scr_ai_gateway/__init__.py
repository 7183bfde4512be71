"""The SCR platform's way to language models: one small API in front of a provider."""
