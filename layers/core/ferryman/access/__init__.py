"""Who may do what: the admins of the operator, and the roles that each platform grants. Pure."""

from ferryman.access.access import Access
from ferryman.access.roles import Role, Verb

__all__ = ["Access", "Role", "Verb"]
