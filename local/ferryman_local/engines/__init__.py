"""The two engines that run the local AWS's containers: as processes, or in Docker. `engine.py` chooses one."""
