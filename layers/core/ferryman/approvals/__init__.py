"""Asking people whether a deployment may go on, and what becomes of their answers.

Every end of an approval is one transaction with its deployment, so that of a decision, an expiry, a newer release and
an abort exactly one happens. The machine hears of it afterwards, from reconcile (`endings.tell`).
"""
