"""All mutants: those from the code, and those by hand."""

from functools import cache

from mutants.by_hand import mutants_by_hand
from mutants.machines import mutants_of_machines, mutants_of_template
from mutants.mutant import Mutant, identified
from mutants.python_code import mutants_of_package


@cache
def every() -> tuple[Mutant, ...]:
    """Return all of them; the same code has the same list."""
    found = [*mutants_of_package(), *mutants_of_machines(), *mutants_of_template()]
    return (*identified(found), *mutants_by_hand())
