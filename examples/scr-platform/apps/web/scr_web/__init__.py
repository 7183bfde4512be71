"""The SCR platform's web page, rendered on the server."""
