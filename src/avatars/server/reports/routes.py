"""Reports and figures over HTTP."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Header, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from avatars.models import (
    FigureDescription,
    FigureFormat,
    Report,
    ReportCreate,
    ReportFormat,
    ReportFromDataCreate,
    ReportLanguage,
)
from avatars.server.datasets.service import by_worker
from avatars.server.dependencies import (
    AudienceDep,
    CurrentUser,
    DatabaseDep,
    EmptyIsAbsent,
    RunnerDep,
    SettingsDep,
    StorageDep,
)
from avatars.server.errors import NotFound, documented
from avatars.server.reports import files, service
from avatars.server.reports.pictures import png

router = APIRouter(tags=["reports"])

_CREATED = documented(400, 401, 404, 409, 503)
_FOUND = documented(401, 404, 503)
IdempotencyKey = Annotated[str | None, Header(max_length=255)]
Language = Annotated[ReportLanguage | None, EmptyIsAbsent, Query()]

# To the letter, as old clients want it.
_MEDIA_TYPES = {
    ReportFormat.pdf: "application/pdf",
    ReportFormat.html: "text/html; charset=utf-8",
    ReportFormat.json: "application/json",
}


class Reader:
    """Waits for a report of the user who asks, as long as the client does, and gives what is in it."""

    def __init__(
        self, user: CurrentUser, audience: AudienceDep, database: DatabaseDep, storage: StorageDep, runner: RunnerDep
    ) -> None:
        self._user, self._database, self._storage, self._runner = user, database, storage, runner
        self._patience = audience.patience

    async def form(self, report_id: UUID, format: ReportFormat) -> bytes:
        """Give a report in one form."""
        await self._wait(report_id)
        return await run_in_threadpool(service.download, self._database, self._storage, self._user, report_id, format)

    async def figures(self, report_id: UUID) -> files.Figures:
        """Give the figures of a report."""
        await self._wait(report_id)
        return await run_in_threadpool(service.figures, self._database, self._storage, self._user, report_id)

    async def _wait(self, report_id: UUID) -> None:
        # Watched before it is looked at: its end cannot fall in between.
        with self._runner.watchers.watch(report_id) as over:
            if not await run_in_threadpool(service.is_over, self._database, self._user, report_id):
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), self._patience)


ReaderDep = Annotated[Reader, Depends()]


@router.post("/reports", responses=_CREATED)
def create_report(
    request: ReportCreate,
    user: CurrentUser,
    settings: SettingsDep,
    database: DatabaseDep,
    runner: RunnerDep,
    idempotency_key: IdempotencyKey = None,
) -> Report:
    """Have the report about an avatarization written; the answer comes at once, and its download waits for it."""
    report = service.create(database, settings, user, request, idempotency_key)
    runner.wake()
    return report


@router.post("/reports/from_data", responses=_CREATED)
def create_report_from_data(
    request: ReportFromDataCreate,
    user: CurrentUser,
    settings: SettingsDep,
    database: DatabaseDep,
    runner: RunnerDep,
    idempotency_key: IdempotencyKey = None,
) -> Report:
    """Have the report about avatars that were made anywhere written, by the metrics jobs about them."""
    report = service.create_from_data(database, settings, user, request, idempotency_key)
    runner.wake()
    return report


@router.get("/reports/{id}", responses=_FOUND)
def get_report(id: UUID, user: CurrentUser, settings: SettingsDep, database: DatabaseDep) -> Report:
    """Describe a report."""
    return service.find(database, settings, user, id)


@router.get("/reports/jobs/{id}", responses=_FOUND)
def get_report_of_job(id: UUID, user: CurrentUser, settings: SettingsDep, database: DatabaseDep) -> Report:
    """Describe the latest report about a job."""
    return service.find_by_job(database, settings, user, id)


_DOWNLOAD: dict[int | str, dict[str, Any]] = {
    **documented(401, 404, 409, 503),
    200: {"description": "The report.", "content": {media.split(";")[0]: {} for media in _MEDIA_TYPES.values()}},
}


@router.get("/reports/{id}/download", response_class=Response, responses=_DOWNLOAD)
async def download_report(
    id: UUID, reader: ReaderDep, format: Annotated[ReportFormat | None, EmptyIsAbsent, Query()] = None
) -> Response:
    """Download a report as PDF, or as one page of HTML, or as JSON; waits for it, up to half a minute.

    It can be shared: no record of the originals is in it, and nothing that rests on fewer than five people.
    """
    wanted = format or ReportFormat.pdf
    content = await reader.form(id, wanted)
    headers = {"Content-Disposition": f'attachment; filename="report-{id}.{wanted.value}"'}
    return Response(content, media_type=_MEDIA_TYPES[wanted], headers=headers)


async def figures_of(
    id: UUID,
    user: CurrentUser,
    settings: SettingsDep,
    database: DatabaseDep,
    reader: ReaderDep,
    runner: RunnerDep,
    language: Language = None,
) -> files.Figures:
    """Give the figures of an avatarization: those of its report, which is written where there is none yet."""
    report_id = await run_in_threadpool(service.for_figures, database, settings, user, id, language)
    runner.wake()
    return await reader.figures(report_id)


FiguresDep = Annotated[files.Figures, Depends(figures_of)]


@router.get("/jobs/{id}/figures", responses=documented(400, 401, 404, 409, 503))
async def get_job_figures(figures: FiguresDep) -> list[FigureDescription]:
    """List the figures of an avatarization: those of its report, which is written where there is none yet."""
    return [
        FigureDescription(name=name, title=figure["title"], description=figure["description"])
        for name, figure in figures.items()
    ]


_FIGURE: dict[int | str, dict[str, Any]] = {
    **documented(400, 401, 404, 409, 503),
    200: {
        "description": "The figure.",
        "content": {"image/svg+xml": {}, "image/png": {}, "application/json": {}},
    },
}


@router.get("/jobs/{id}/figures/{name}", response_class=Response, responses=_FIGURE)
async def get_job_figure(
    figures: FiguresDep,
    name: str,
    runner: RunnerDep,
    format: Annotated[FigureFormat | None, EmptyIsAbsent, Query()] = None,
) -> Response:
    """Give one figure of an avatarization as SVG, as PNG, or as the numbers that it shows."""
    if name not in figures:
        raise NotFound(f"The job has no figure of this name: it has {', '.join(list(figures)[:6])} ...", "no_figure")
    figure = figures[name]
    match format:
        case FigureFormat.json:
            return JSONResponse(figure["data"])
        case FigureFormat.png:
            drawn = await by_worker(runner.compute, f"figure-{uuid4()}", png, figure["svg"], figure["width"])
            return Response(drawn, media_type="image/png")
        case _:
            return Response(figure["svg"], media_type="image/svg+xml")
