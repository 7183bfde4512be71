"""An approval's life after it was requested: decisions, links, and its end.

Every end of an approval is one transaction with its deployment. So exactly one of decision, expiry, newer release and
abort happens. Afterwards, reconcile answers the state machine (`lifecycle.answer_machine`).
"""
