"""AWS as far as the operator uses it, in memory, under the scheduler's clock."""
