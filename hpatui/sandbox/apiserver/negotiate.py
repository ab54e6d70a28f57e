"""Content negotiation: which form a client wants, and what a body holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from hpatui.sandbox.apiserver.protobuf import MEDIA, decode_protobuf
from hpatui.sandbox.apiserver.status import StatusError, bad_request

JSON = "application/json"
YAML = "application/yaml"
_ACCEPTED = ", ".join((JSON, YAML))
LIMIT = 3 * 1024 * 1024  # bytes of a request body, as etcd's limit makes it for Kubernetes


@dataclass(frozen=True, slots=True)
class Form:
    """How to answer. `kind`: "" (objects), Table or PartialObjectMetadata; `version` of meta.k8s.io for those."""

    media: str = JSON
    kind: str = ""
    version: str = ""


@lru_cache(maxsize=256)
def negotiate(accept: str) -> Form:
    """The first form of an Accept header that is served; StatusError 406 if none is."""
    if not accept.strip():
        return Form()
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        values = dict(piece.split("=", 1) for piece in parameters if "=" in piece)
        if media in ("*/*", "application/*"):
            media = JSON
        if media not in (JSON, YAML):
            continue
        if not values.get("as"):
            return Form(media)
        kind = values["as"].removesuffix("List")
        known = values.get("g") == "meta.k8s.io" and values.get("v") in ("v1", "v1beta1")
        if known and kind in ("Table", "PartialObjectMetadata"):
            return Form(media, kind, values["v"])
    raise StatusError(406, "NotAcceptable", f"only the following media types are accepted: {_ACCEPTED}")


def encode(value: Any, form: Form) -> bytes:
    """A JSON value in the media type that was negotiated."""
    if form.media == YAML:
        import yaml

        return yaml.safe_dump(value, sort_keys=False).encode()
    return msgspec.json.encode(value)


def decode(body: bytes, content_type: str, allowed: tuple[str, ...] = (JSON, YAML)) -> Any:
    """The value of a body; StatusError 400 for broken text, 415 for other media types."""
    media = content_type.partition(";")[0].strip().lower() or JSON
    if media == MEDIA and JSON in allowed:
        return decode_protobuf(body)
    if media not in allowed:
        raise StatusError(
            415, "UnsupportedMediaType",
            f"the body of the request was in an unknown format - accepted media types include: {', '.join(allowed)}",
        )  # fmt: skip
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if "yaml" in media:
            return _decode_yaml(body)
        raise bad_request(f"unable to parse the body as JSON: {error}") from error
    except RecursionError as error:
        raise bad_request("the body is nested too deeply") from error


def _decode_yaml(body: bytes) -> Any:
    import yaml

    try:
        value = yaml.safe_load(body)
        return msgspec.json.decode(msgspec.json.encode(value))  # dates and the like become text
    except (yaml.YAMLError, msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise bad_request(f"unable to parse the body as YAML: {str(error).splitlines()[0]}") from error
