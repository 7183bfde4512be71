"""The SCR platform's API: projects in a database, and a health page that says which version answers."""
