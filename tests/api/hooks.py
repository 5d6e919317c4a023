"""What no schema can say: that bytes are those of an image; and of requests that are meant to be good, that an option is said once, by the query or
by the form, that a list takes `ids` alone, that `code` goes with failed jobs, that what is lossless has no quality and not every format, that `variants` is a list as JSON, that `source` is of a job and brings the image, that a cursor is from another list, that a key belongs to one upload, and that nobody is told of a job whom the operator did not name."""

import pathlib
import uuid

import schemathesis
from hypothesis import strategies
from schemathesis import GenerationMode
from schemathesis.transport.serialization import Binary

IMAGE = (pathlib.Path(__file__).resolve().parents[2] / "components/imaging/tests/fixtures/animated.png").read_bytes()
KINDS = ("avif", "gif", "heic", "jpeg", "png", "webp")
BESIDE_IDS = ("status", "code", "limit")
# What is lossless has no quality, and not every format.
NOT_LOSSLESS = ("quality", "format", "preset")
# A list as JSON, and the address of somebody whom the operator named.
NOT_WRITTEN_BY_RULES = ("callback_url", "variants")

schemathesis.openapi.format("binary", strategies.just(Binary(IMAGE)))
schemathesis.openapi.media_type("application/octet-stream", strategies.just(IMAGE), aliases=[f"image/{kind}" for kind in KINDS])


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    query = case.query or {}
    if (case.method, case.path) == ("GET", "/jobs"):
        query.pop("cursor", None)
        if "code" in query:
            query["status"] = "failed"
        for name in BESIDE_IDS if "ids" in query else ():
            query.pop(name, None)
    if case.method == "POST" and case.path in ("/jobs", "/batches"):
        for name in NOT_WRITTEN_BY_RULES:
            query.pop(name, None)
        # In place: a body that was exchanged here counts as one that breaks the schema.
        for name in NOT_WRITTEN_BY_RULES if isinstance(case.body, dict) else ():
            case.body.pop(name, None)
    if (case.method, case.path) == ("POST", "/jobs"):
        form = case.body if isinstance(case.body, dict) else {}
        # Without a body it is of no job that there is: 404, which is as good as the request.
        query.pop("source", None)
        if not isinstance(case.body, (dict, bytes, Binary)) or not case.body:
            case.query = query | {"source": str(uuid.uuid4())}
        for name in form:
            query.pop(name, None)
        if any(name in form | query for name in NOT_LOSSLESS):
            query.pop("lossless", None)
        if "Idempotency-Key" in (case.headers or {}):
            case.headers["Idempotency-Key"] = str(uuid.uuid4())


@schemathesis.hook
def map_case(context, case):
    """The same in a form; not by `before_call`, for a body that was changed there counts as one that breaks the schema."""
    if isinstance(case.body, dict) and "callback_url" in case.body:
        case.body = {name: value for name, value in case.body.items() if name != "callback_url"}
    form = case.body if isinstance(case.body, dict) else {}
    if "variants" in form:
        form = case.body = {name: value for name, value in form.items() if name != "variants"}
    if str(form.get("lossless")).lower() == "true" and any(name in form for name in NOT_LOSSLESS):
        case.body = {name: value for name, value in form.items() if name != "lossless"}
    return case
