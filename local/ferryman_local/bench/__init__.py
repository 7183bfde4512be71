"""`make bench`: time, transitions and cost of a deployment, measured in one run on the local AWS."""
