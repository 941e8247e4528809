"""Datasets: tables on the platform."""

from __future__ import annotations

import time
from tempfile import SpooledTemporaryFile
from typing import IO, cast, overload
from uuid import UUID, uuid4

from avatars._bar import Section, progress_bar
from avatars._http import ATTEMPTS, Http, as_uuid, parse, parse_list
from avatars.errors import RequestTimeout, UnexpectedAnswer
from avatars.models import AnalysisStatus, Correlations, Dataset, FileType, PatchDataset
from avatars.resources.destinations import Destination, Incoming, Writable, opened
from avatars.resources.sources import Source, body_of

UPLOAD_TIMEOUT = 600.0
"""Seconds of silence after an upload: the platform reads the whole table before it answers."""

ANALYSIS_TIMEOUT = 600.0
"""Seconds that an analysis may take before it is no longer waited for."""

ANALYSIS_PAUSE = 0.25
"""Seconds between two looks at an analysis."""

IN_MEMORY = 64 * 1024**2
"""Bytes of a download that are held in memory; a larger one goes through an unnamed temporary file."""

FILE_NAME = "file.csv"
"""What every uploaded file is called: its own name is nobody's business, it may be a person's."""


class Datasets:
    """Tables on the platform: send, describe, fetch."""

    def __init__(self, http: Http, *, progress: bool = True) -> None:
        self._http = http
        self._progress = progress

    def create_dataset(
        self,
        request: Source,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> Dataset:
        """Send a table, CSV or Parquet, and return its description.

        The table is streamed: memory does not grow with its size. Text is sent as UTF-8 whatever its file's
        encoding, bytes as they are, frames and Arrow tables as Parquet. An open file is read from where it stands
        and stays open.

        Parameters
        ----------
        request
            An open file, the path of one, its bytes; a pandas frame; or what gives itself as an Arrow stream, as
            tables of pyarrow, polars and DuckDB do.
        name
            What the platform calls the table; it has no name by default.
        idempotency_key
            Two uploads of the same bytes with the same key make one dataset; by default each call has a key of its own,
            with which it sends them again where the answer was lost.
        timeout
            Seconds that the platform may be silent; the client's timeout by default, but at least 600.
        progress
            False hides the table of progress; by default as the client was told.

        Raises
        ------
        avatars.errors.InvalidInput
            There is nothing to read, or a frame that cannot be sent; nothing was sent.
        avatars.errors.BadRequest
            The platform cannot read the table.
        """
        shown = self._progress if progress is None else progress
        with body_of(request) as body, progress_bar("upload", shown=shown) as steps:
            body.watch = lambda share: _show_upload(steps, share)
            answer = self._http.request(
                "POST",
                "/datasets",
                form={"name": name} if name else None,
                # httpx2 asks no more of a file than `Body` offers.
                files={"file": (FILE_NAME, cast("IO[bytes]", body), "text/csv")},
                timeout=timeout or max(self._http.timeout, UPLOAD_TIMEOUT),
                idempotency_key=idempotency_key or str(uuid4()),
                attempts=ATTEMPTS if body.is_repeatable else 1,
            )
        return parse(answer, Dataset)

    def find_all_datasets_by_user(self, *, timeout: float | None = None) -> list[Dataset]:
        """Return the descriptions of all of one's own datasets, the newest first."""
        return parse_list(self._http.request("GET", "/datasets", timeout=timeout), Dataset)

    def get_dataset(self, id: UUID | str, *, timeout: float | None = None) -> Dataset:
        """Return the description of a dataset.

        Raises
        ------
        avatars.errors.NotFound
            There is no such dataset, or it belongs to somebody else.
        """
        return parse(self._http.request("GET", f"/datasets/{as_uuid(id)}", timeout=timeout), Dataset)

    def patch_dataset(self, request: PatchDataset, id: UUID | str, *, timeout: float | None = None) -> Dataset:
        """Declare the types of columns and return the new description; columns not named keep theirs."""
        answer = self._http.request("PATCH", f"/datasets/{as_uuid(id)}", json=request, timeout=timeout)
        return parse(answer, Dataset)

    def analyze_dataset(self, id: UUID | str, *, wait: bool = True, timeout: float | None = None) -> Dataset:
        """Have the columns of a dataset analysed and return its description, with a ``summary``.

        Parameters
        ----------
        wait
            False returns at once; ``get_dataset`` then says where the analysis stands (``analysis_status``).
        timeout
            Seconds that the platform may be silent.

        Raises
        ------
        avatars.errors.RequestTimeout
            The analysis was not over after ten minutes; it goes on.
        """
        dataset_id = as_uuid(id)
        answer = self._http.request("POST", f"/datasets/{dataset_id}/analyze", timeout=timeout)
        dataset = parse(answer, Dataset)
        end = time.monotonic() + ANALYSIS_TIMEOUT
        while wait and dataset.analysis_status is AnalysisStatus.started:
            if time.monotonic() > end:
                raise RequestTimeout(
                    f"The analysis is not over after {ANALYSIS_TIMEOUT / 60:g} minutes: "
                    f'look again with get_dataset("{dataset_id}").'
                )
            time.sleep(ANALYSIS_PAUSE)
            dataset = self.get_dataset(dataset_id, timeout=timeout)
        return dataset

    def get_dataset_correlations(self, id: UUID | str, *, timeout: float | None = None) -> Correlations:
        """Return the correlations of a dataset's numeric columns."""
        answer = self._http.request("GET", f"/datasets/{as_uuid(id)}/correlations", timeout=timeout)
        return parse(answer, Correlations)

    @overload
    def download_dataset(
        self,
        id: UUID | str,
        *,
        destination: None = None,
        as_uploaded: bool = False,
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> str: ...

    @overload
    def download_dataset(
        self,
        id: UUID | str,
        *,
        destination: Destination,
        filetype: FileType = FileType.csv,
        as_uploaded: bool = False,
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> None: ...

    def download_dataset(
        self,
        id: UUID | str,
        *,
        destination: Destination | None = None,
        filetype: FileType = FileType.csv,
        as_uploaded: bool = False,
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> str | None:
        """Return a dataset as CSV text, or write it to a file.

        The text is held in memory as a whole; a file is written as the bytes come.
        ``client.pandas_integration.download_dataframe`` gives a frame with its dtypes.

        Parameters
        ----------
        destination
            The path of a file, which appears when it is complete; or a file that is open for writing bytes. The
            call then returns nothing.
        filetype
            The format of that file.
        as_uploaded
            Whether CSV has the separators and decimal marks of the file that was uploaded, and not commas and decimal
            points.
        timeout
            Seconds that the platform may be silent.
        progress
            False hides the table of progress; by default as the client was told.
        """
        if destination is not None:
            with opened(destination) as file:
                self.download_into(file, id, filetype, as_uploaded=as_uploaded, timeout=timeout, progress=progress)
            return None
        with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            self.download_into(file, id, FileType.csv, as_uploaded=as_uploaded, timeout=timeout, progress=progress)
            file.seek(0)
            try:
                return file.read().decode("utf-8")
            except UnicodeDecodeError:
                raise UnexpectedAnswer("The dataset did not come as CSV in UTF-8: check base_url.") from None

    def download_into(
        self,
        file: Writable,
        id: UUID | str,
        filetype: FileType,
        *,
        as_uploaded: bool = False,
        timeout: float | None = None,
        progress: bool | None = None,
    ) -> None:
        """Write a dataset to an open file as its bytes come."""
        path = f"/datasets/{as_uuid(id)}/download"
        params = {"filetype": filetype.value} | ({"as_uploaded": "true"} if as_uploaded else {})
        with progress_bar("download", shown=self._progress if progress is None else progress) as steps:
            self._http.request("GET", path, params=params, into=Incoming(file, steps), timeout=timeout)

    def delete_dataset(self, id: UUID | str, *, timeout: float | None = None) -> None:
        """Delete a dataset, its rows and its description, for good."""
        self._http.request("DELETE", f"/datasets/{as_uuid(id)}", timeout=timeout)


def _show_upload(steps: Section, share: float | None) -> None:
    if share is not None and share >= 1:
        # The platform answers when it has read the whole table.
        steps("the platform reads it", None)
    else:
        steps("upload", share)
