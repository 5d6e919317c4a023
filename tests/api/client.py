"""What a typed client does that was written from the document: client.py URL KEY"""

import io
import sys

from service import ROOT
from thumbs_client import AuthenticatedClient, Client
from thumbs_client.api.jobs import create_job, delete_job, get_history, get_job, list_jobs, retry_job
from thumbs_client.api.service import get_health, get_problem
from thumbs_client.api.thumbnails import get_thumbnail
from thumbs_client.models import CreateJobFilesBody, CreateJobFit, CreateJobFormat, Job, JobStatus, Problem
from thumbs_client.types import UNSET, File

IMAGE = ROOT / "docs/pictures/landscape.jpg"


def image():
    return File(payload=io.BytesIO(IMAGE.read_bytes()), file_name="landscape.jpg", mime_type="image/jpeg")


def is_a(kind, answer):
    """What was parsed, which is of this type."""
    assert isinstance(answer.parsed, kind), (answer.status_code, answer.content[:500])
    return answer.parsed


def main(url, key):
    client = AuthenticatedClient(base_url=url, token=key, raise_on_unexpected_status=True)
    assert get_health.sync(client=client).status == "ok"

    wishes = {"width": 64, "height": 48, "fit": CreateJobFit.CONTAIN, "format_": CreateJobFormat.WEBP}
    made = is_a(Job, create_job.sync_detailed(client=client, body=image(), wait=30, idempotency_key="once", **wishes))
    assert made.status == JobStatus.SUCCEEDED and made.error is None, made
    assert (made.result.width, made.result.height, made.result.content_type) == (64, 48, "image/webp"), made.result
    again = is_a(Job, create_job.sync_detailed(client=client, body=image(), wait=30, idempotency_key="once", **wishes))
    assert again.job_id == made.job_id

    # What a form says is not said a second time by the query. In a form this client would write `True`, which is no value of ours.
    form = CreateJobFilesBody(image=image(), width=32, height=32, animated=UNSET, lossless=UNSET)
    not_by_query = dict.fromkeys(("width", "height", "fit", "format_", "gravity", "animated", "background", "lossless"), UNSET)
    by_form = is_a(Job, create_job.sync_detailed(client=client, body=form, wait=30, **not_by_query))
    assert (by_form.parameters.width, by_form.result.width) == (32, 32), by_form

    thumbnail = is_a(File, get_thumbnail.sync_detailed(made.job_id, client=client)).payload.read()
    assert thumbnail[:4] == b"RIFF" and len(thumbnail) == made.result.bytes_
    known = get_thumbnail.sync_detailed(made.job_id, client=client, if_none_match=f'"{made.result.sha256}"')
    assert known.status_code in (200, 304), known

    shown = is_a(Job, get_job.sync_detailed(made.job_id, client=client))
    assert shown.to_dict() == made.to_dict()
    listed = list_jobs.sync(client=client, limit=1)
    assert [job.job_id for job in listed.jobs] == [by_form.job_id] and listed.links.next_, listed
    assert [attempt.outcome for attempt in get_history.sync(made.job_id, client=client).attempts] == ["succeeded"]

    refused = is_a(Problem, retry_job.sync_detailed(made.job_id, client=client))
    assert (refused.status, refused.code) == (409, "not-failed"), refused
    # Without a word of what it prefers, it gets the page for people.
    for_programs = AuthenticatedClient(base_url=url, token=key, headers={"Accept": "application/json"})
    assert get_problem.sync("not-failed", client=for_programs).code == "not-failed"
    assert delete_job.sync_detailed(made.job_id, client=client).status_code == 204
    assert is_a(Problem, get_job.sync_detailed(made.job_id, client=client)).code == "not-found"
    stranger = Client(base_url=url, raise_on_unexpected_status=True)
    assert is_a(Problem, list_jobs.sync_detailed(client=stranger)).code == "key-needed"
    print("client: passed")


if __name__ == "__main__":
    main(*sys.argv[1:])
