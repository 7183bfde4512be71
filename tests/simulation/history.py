"""One history: people do things, things go wrong, then nothing goes wrong any more, and every promise must be kept."""

from dataclasses import dataclass, field
from datetime import timedelta

from simulation.at_the_end import judge
from simulation.choices import Choice, Choices
from simulation.documents import VARIANTS
from simulation.invariants import Invariants
from simulation.people import People
from simulation.player import Player
from simulation.surroundings import Surroundings, lists_settle_soon

TURNS = 24
"""How often people may act."""
CHANCES = {"some": 0.006, "few": 0.0015, "many": 0.02}
"""How often a call goes wrong, beside the faults that are aimed at each deployment."""
PAUSES = {
    "a minute": 60.0,
    "at once": 0.0,
    "some seconds": 3.0,
    "half a minute": 30.0,
    "minutes": 240.0,
    "ten minutes": 600.0,
}
REST = 3 * 3600.0
"""Seconds without faults at the end: longer than all retries of an errored deployment, and an approval's expiry."""
QUIET = 3700.0
"""Seconds without a change after which nothing more is to come: longer than the last retry of an errored deployment and
an approval's expiry (half an hour), and the pause between two sweeps after it."""
WEATHER = (
    "fine",
    "dynamodb",
    "ecs",
    "ecr",
    "stepfunctions",
    "sqs",
    "sns",
    "everything",
    "everything briefly",
    "dynamodb briefly",
)
"""Which service throttles everything from now on; `everything`: a region's bad hour."""
BAD_HOUR = 900.0
"""Seconds: longer than all retries of a step."""
BRIEFLY = 130.0
"""Seconds: longer than the retries of most steps, and over when the next step has to say so."""
FIRST = "a000000"
"""The release that runs before anybody asks for a database command."""
_MOST_STEPS = 20_000


@dataclass
class Told:
    """What became of a history."""

    world: Surroundings
    people: People
    choices: Choices
    broken: list[tuple[str, str]] = field(default_factory=list)

    @property
    def story(self) -> list[Choice]:
        """Return everything that was out of the ordinary."""
        return self.choices.made


@lists_settle_soon()
def play(choices: Choices, *, faults: str = "") -> Told:
    """Play one history; `faults`: how often calls fail, of `CHANCES`, which otherwise differs."""
    variant = choices.pick("variant", VARIANTS, 0.8)
    chance = CHANCES[faults or choices.pick("how many faults", tuple(CHANCES), 0.6)]
    world = Surroundings(choices, variant, chance=chance)
    people = People(world)
    invariants = Invariants(world, people)
    told = Told(world, people, choices, invariants.broken)
    player = Player(people, invariants, world)
    choices.faults = 0.0
    people.apply()
    _run(told, invariants, 30)
    assert [answer[3] for answer in people.answers] == [200], people.answers
    if variant == "commands":
        # Only a production that runs a release takes commands.
        people.push(FIRST)
        _run(told, invariants, 300)
        people.post("grace", "production", "approve", version=FIRST)
        _run(told, invariants, 300)
        assert people.answers[-1][3] == 200, people.answers
    choices.met.clear()  # What fails before there is a platform disturbs nothing.
    choices.faults = 1.0
    for _ in range(TURNS):
        likely = player.weights()
        options = tuple(name for name, weight in likely.items() for _ in range(weight))
        player.act(choices.pick("people", options, 0.7))
        bad, _, briefly = choices.pick("weather", WEATHER, 0.12).partition(" ")
        world.throttling[bad] = world.scheduler.seconds + (BRIEFLY if briefly else BAD_HOUR)
        _run(told, invariants, PAUSES[choices.pick("pause", tuple(PAUSES), 0.6)])
        if told.broken:
            return told
    choices.faults = 0.0
    world.throttling.clear()
    for environment in invariants.environments:
        people.post("jo", environment, "thaw")
        people.post("jo", environment, "resume")
        _run(told, invariants, 5)
    _run(told, invariants, REST, quiet=QUIET)
    if not told.broken:
        judge(world, people, invariants)
    return told


def _run(told: Told, invariants: Invariants, seconds: float, quiet: float = REST) -> None:
    """Have time pass, or less of it when nothing changes for so many seconds."""
    scheduler, steps = told.world.scheduler, told.world.steps
    until = scheduler.seconds + seconds
    while (
        scheduler.next_at() <= until and not told.broken and scheduler.seconds < told.world.schedules.changed_at + quiet
    ):
        scheduler.step()
        if told.world.steps != steps:
            steps = told.world.steps
            invariants.at_rest()
            if steps > _MOST_STEPS:
                invariants.break_("ItEnds", f"{steps} steps in {timedelta(seconds=scheduler.seconds)}")
    if scheduler.seconds < until and quiet == REST:
        scheduler.seconds = until
