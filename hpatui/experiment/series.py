"""All runs of an experiment: repetitions, and variants in random order within each of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hpatui.experiment.assemble import assemble
from hpatui.experiment.file import Experiment, Variant
from hpatui.experiment.ground import clean_up_before
from hpatui.experiment.result import Result
from hpatui.experiment.run import Ran, Run, Setting


@dataclass(frozen=True, slots=True)
class Turn:
    """One run that is to be made."""

    number: int
    variant: Variant


def order(experiment: Experiment, seed: int) -> list[Turn]:
    """Each repetition has every variant once, in an order of its own: what drifts with time favours none."""
    dice = random.Random(seed)
    found: list[Turn] = []
    for _ in range(experiment.repeat):
        variants = list(experiment.variants)
        dice.shuffle(variants)
        found += [Turn(len(found) + index + 1, variant) for index, variant in enumerate(variants)]
    return found


def seed_of(experiment: Experiment) -> int:
    """The file's, or one that is drawn and told in the result."""
    return experiment.seed if experiment.seed is not None else random.SystemRandom().randrange(10**6)


async def run_all(setting: Setting) -> Result:
    """Every run in its turn, until one cannot go on. UsageError for what the user must correct before any."""
    await clean_up_before(setting.settings, setting.say)
    seed = seed_of(setting.experiment)
    turns = order(setting.experiment, seed)
    rans: list[Ran] = []
    for turn in turns:
        ran = await Run(setting, turn.variant, turn.number, len(turns)).run()
        rans.append(ran)
        if ran.error:
            break
    return assemble(setting.experiment, rans, {ran.number: ran.recording for ran in rans}, seed)
