"""Which keys there are where somebody wrote one that there is not."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from pydantic import BaseModel

NO_SECRETS = "secrets never stand in the settings"
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
"""How a variable is mostly called, and a secret is not."""


def known_keys(model: type[BaseModel], where: Sequence[str]) -> list[str]:
    """Return the keys that are known where an unknown one stands."""
    among: list[type[BaseModel]] = [model]
    for step in where[:-1]:
        field = among[0].model_fields.get(step)
        if field is not None:
            among = list(models_in(field.annotation)) or among
        else:
            among = [one for one in among if step in kinds_of(one)] or among
    return list(among[0].model_fields)


def kinds_of(model: type[BaseModel]) -> tuple[object, ...]:
    """Return the values of the key `kind` by which a model is chosen among others."""
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def cure(wrong: str, known: Iterable[str]) -> str:
    """Say what could have been meant, or what there is; of a secret, that it stands in a file of its own."""
    names = sorted(known)
    stems = [name.removesuffix("_env") for name in names if name.endswith("_env")]
    secrets = [name for name in stems if f"{name}_file" in names]
    near = difflib.get_close_matches(wrong, [*names, *secrets], 1)
    if near and near[0] in secrets:
        return in_a_file(near[0])
    return f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(names)}"


def kind_cure(wrong: str, known: Iterable[str]) -> str:
    """Say which kinds there are, and which is the nearest."""
    kinds = sorted(known)
    near = difflib.get_close_matches(wrong, kinds, 1)
    return f"there are: {', '.join(kinds)}" + (f"; did you mean '{near[0]}'?" if near else "")


def in_a_file(secret: str) -> str:
    """Say where a secret belongs."""
    return f"{NO_SECRETS}: put it alone into a file, and name that with '{secret}_file'"


def is_variable(value: str) -> bool:
    """Say whether this may be shown as the name of a variable: it looks like one, or one is called so."""
    return VARIABLE.fullmatch(value) is not None or value in os.environ


def no_variables(value: object, where: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the keys that should name a variable, and by the look of it hold a secret."""
    inside: Iterable[tuple[object, object]] = ()
    if isinstance(value, BaseModel):
        inside = value
    elif isinstance(value, list | tuple):
        inside = enumerate(value)
    for key, part in inside:
        here = (*where, str(key))
        if here[-1].endswith("_env") and isinstance(part, str) and part and not is_variable(part):
            yield here
        yield from no_variables(part, here)
