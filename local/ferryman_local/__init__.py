"""An AWS on the developer's machine, for development and tests only. It is never shipped.

`local_aws.py` starts and stops all of it: the emulator (`emulator.py`, whose process is `emulator_process.py`), the
infrastructure, the operator's stack, the relay and the stand-ins. `commands.py` is `ferryman local`, `supervisor.py` is
the process behind `ferryman local up`, and `instance.py` is the record of a local AWS in the background.

engines       run the emulator's containers: as processes, or in Docker
patches       correct the emulator, a file for each AWS service
images        build container images and push them
provisioning  creates what Terraform and `sam deploy` create on AWS
relay         sends the events of ECR and ECS, which the emulator does not send
proxy         injects faults between clients and the emulator
standins      GitHub, Slack, and the people around an approval
demo          `make demo`
bench         `make bench`
"""
