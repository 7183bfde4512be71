"""The reconcile loop: observe an environment, decide what is due (`decisions`), execute it. Also the claim on it."""
