"""Which keys there are where somebody wrote one that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

from pydantic import BaseModel


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
    """Say what could have been meant, or what there is."""
    names = sorted(known)
    near = difflib.get_close_matches(wrong, names, 1)
    return f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(names)}"
