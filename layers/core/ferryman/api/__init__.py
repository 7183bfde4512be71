"""The operator's API, served by serve_api: everything that the `ferryman` command reads or asks for.

`serve` answers one request; `routes` names the paths; `reads`, `documents` and `actions` do the work on a `store`;
`requests` decides, pure.
"""
