"""`make bench`: what a deployment costs in time, transitions and money, measured in one run on the local AWS."""
