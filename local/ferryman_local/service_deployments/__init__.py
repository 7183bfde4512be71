"""What ECS does with a service: one pure state machine, for the local AWS and for the simulation.

A driver keeps the tasks, the load balancer and the clock. It calls `service_deployments.machine.advanced` with what it
sees until nothing changes, and carries out the acts. `configuration` reads and refuses what UpdateService is given.
"""
