"""A staging with two releases, as people hold it, retry in it and abort."""

from ferryman.records import Hold, Phase, Settled
from unit import builders as make
from unit.api_world import KIM

RUNNING = "0001234"
BAD = "abc1234"
HOLD = Hold(reason="load test", who=KIM, at=make.AT)
AUTOMATIC = Hold(reason="abc1234 errored 4 times", who="ferryman", at=make.AT)
FAILED = Settled(phase=Phase.FAILED, reason="SmokeTestFailed", at=make.AT)
REFUSED = Settled(phase=Phase.REJECTED, reason="TagRefused", at=make.AT)
ACTIVE = make.state().active
ID = "01K00000000000000000000DEP"
