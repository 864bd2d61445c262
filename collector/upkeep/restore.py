"""Restore: a backup's counts, into an empty or existing installation, without doubling a day.

The whole file is checked before anything is changed. Each day is put back under a seal number of
its own, so an interrupted restore is found and begun again.
"""

import hashlib
import json
import zipfile
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import IO, Any, NamedTuple

from collector import schema
from collector.close.closes import Closes
from collector.close.integers import COUNT_COLUMNS
from collector.schema import NewerSchema
from collector.upkeep.backup import FORMAT, MANIFEST, UPLOADS_FROM
from collector.warehouse import Client, Warehouse, ask, tell


class DamagedBackup(ValueError):
    """The file can't be used; the text says why. Nothing was changed."""


class Restored(NamedTuple):
    """What a restore did: days put back, and days that were here already."""

    days: list[date]
    known: list[date]

    def sentence(self) -> str:
        """Return it for an operator."""
        return (
            f"{len(self.days)} days put back, {len(self.known)} were here already. The secret is"
            " not part of a backup: without the old one, page tags and tokens must be made anew."
        )


@dataclass(frozen=True, slots=True)
class Restore:
    """Puts backups back. Nobody else may restore at the same time."""

    warehouse: Warehouse
    client: Client
    closes: Closes
    forgotten: Container[str]

    def restore(self, file: IO[bytes]) -> Restored:
        """Put a backup back.

        Errors  DamagedBackup, schema.NewerSchema: nothing was changed. Unanswered: begin again.
        """
        with _opened(file) as archive:
            manifest = _checked(archive)
            tell(self.client, "restore_end")
            tell(self.client, "restore_begin")
            for each in manifest["files"]:
                body = archive.read(each["name"])
                self.warehouse.insert(self.client, "restored", COUNT_COLUMNS, body, "Parquet")
        done = self._put_back()
        states = {date.fromisoformat(day): state for day, state in manifest["days"].items()}
        done.days.extend(self._put_back_empty(states.keys() - {*done.days, *done.known}, states))
        tell(self.client, "restore_end")
        return done

    def _put_back(self) -> Restored:
        restored, known = [], []
        uploads: dict[str, Any] = {"uploads_from": UPLOADS_FROM}
        gone: set[str] = set()
        for day, sellers in ask(self.client, "restore_days", uploads):
            seal = self.closes.begin_restore(day)
            if seal is None:
                known.append(day)
                continue
            gone.update(seller for seller in sellers if seller in self.forgotten)
            asked = {"closed": day, "seal": seal, "gone": sorted(gone), **uploads}
            tell(self.client, "restore_take_back", {"closed": day, "seal": seal})
            tell(self.client, "restore_day", asked)
            self.closes.advance(day, "sealed")
            restored.append(day)
        uploaders = ask(self.client, "restore_uploaders", uploads)
        gone.update(seller for (seller,) in uploaders if seller in self.forgotten)
        tell(self.client, "restore_uploads", {"gone": sorted(gone), **uploads})
        return Restored(restored, known)

    def _put_back_empty(self, days: Iterable[date], states: Mapping[date, str]) -> list[date]:
        """Note the days of which no row speaks: lost ones, and those on which nobody came."""
        restored = []
        for day in sorted(days):
            if states[day] == "lost":
                self.closes.note_lost(day)
            elif self.closes.begin_restore(day) is not None:
                self.closes.advance(day, "sealed")
                restored.append(day)
        return restored


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        raise DamagedBackup("the file is no backup of collector, or only a part of one") from None


def _checked(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return the manifest of a backup that is whole."""
    try:
        manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
        if manifest["format"] != FORMAT:
            raise DamagedBackup(f"the file has format {manifest['format']}, known is {FORMAT}")
        if manifest["schema"] > schema.migrations()[-1].number:
            raise NewerSchema(
                f"the backup has schema {manifest['schema']} and this version knows"
                f" {schema.migrations()[-1].number}; restore it with version {manifest['version']}"
            )
        for each in manifest["files"]:
            found = hashlib.sha256(archive.read(each["name"])).hexdigest()
            if found != each["sha256"]:
                raise DamagedBackup(f"{each['name']} in the backup is damaged")
        if manifest["rows"] != sum(each["rows"] for each in manifest["files"]):
            raise DamagedBackup("the backup's manifest contradicts itself")
        for day in manifest["days"]:
            date.fromisoformat(day)
    except (KeyError, TypeError, zipfile.BadZipFile, json.JSONDecodeError, EOFError):
        raise DamagedBackup("the backup is damaged or incomplete") from None
    return manifest
