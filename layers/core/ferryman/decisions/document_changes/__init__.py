"""What a new document changes for environments that ask for approval: which gates it tightens or weakens. Pure."""
