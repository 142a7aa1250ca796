"""Where new secrets go: to a file, to a command, and nowhere else."""

from __future__ import annotations

import json
import logging
import os
import stat
import sys

import pytest
from django.db import OperationalError, connection

from accounts.models import AuditEvent
from oauthclients.as_code import delivery
from oauthclients.models import Client
from tests import cast as standing_cast
from tests.oauthclients.as_code.files import APP, SERVICE, everything, file_of, run

IMPLICIT = APP.replace("CODE", "TOKEN")


def command(body: str) -> str:
    return f'{sys.executable} -c "import json, os, sys, time; {body}"'


def refused(cast, tmp_path, **options: object) -> str:
    before = everything()
    ran = run("apply", file_of(SERVICE, APP), folder=tmp_path, yes=True, **options)
    assert ran.code == 1
    assert everything() == before
    return ran.error


def test_a_file_that_only_its_owner_reads(cast, tmp_path, caplog):
    path = tmp_path / "secrets.json"
    caplog.set_level(logging.DEBUG)
    before = os.umask(0)
    try:
        ran = run("apply", file_of(SERVICE, APP), folder=tmp_path, yes=True, secrets_file=path)
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = json.loads(path.read_text())
    assert made["organization"] == "acme"
    assert [one["name"] for one in made["clients"]] == ["Billing sync", "Web app"]
    assert {one["client_id"] for one in made["clients"]} == {row.client_id for row in Client.objects.all()}
    assert {one["grant_type"] for one in made["clients"]} == {"CLIENT-CREDENTIALS", "CODE"}
    service = Client.objects.get(name="Billing sync")
    assert cast.token(service, made["clients"][0]["client_secret"])
    told = [ran.said, ran.error, caplog.text, *map(repr, AuditEvent.objects.values())]
    for one in made["clients"]:
        assert not any(one["client_secret"] in text for text in told)


def test_without_a_place_nothing_is_made(cast, tmp_path):
    said = refused(cast, tmp_path)
    assert said.startswith("New secrets need a place: ‘Billing sync’, ‘Web app’. Give --secrets-file PATH")


def test_a_client_of_the_implicit_grant_has_no_use_for_a_secret(cast, tmp_path):
    path = tmp_path / "secrets"
    ran = run("apply", file_of(IMPLICIT), folder=tmp_path, yes=True, secrets_file=path)
    assert ran.code == 0
    assert not path.exists()
    assert Client.objects.get().name == "Web app"


class TestFiles:
    def test_one_that_is_there_is_not_overwritten(self, cast, tmp_path):
        path = tmp_path / "secrets"
        path.write_text("old")
        assert f"{path} is there already." in refused(cast, tmp_path, secrets_file=path)
        assert path.read_text() == "old"

    @pytest.mark.parametrize("target", ["there", "not there"])
    def test_a_symbolic_link_is_not_followed(self, target, cast, tmp_path):
        path, aim = tmp_path / "secrets", tmp_path / target
        if target == "there":
            aim.write_text("old")
        path.symlink_to(aim)
        assert f"{path} is there already." in refused(cast, tmp_path, secrets_file=path)
        assert not aim.exists() or aim.read_text() == "old"
        assert path.is_symlink()

    def test_one_that_appears_at_the_last_moment_is_left_alone(self, cast, tmp_path, monkeypatch):
        path = tmp_path / "secrets"
        path.symlink_to(tmp_path / "elsewhere")
        monkeypatch.setattr("os.path.lexists", lambda _path: False)
        assert f"{path} is there already." in refused(cast, tmp_path, secrets_file=path)
        assert path.is_symlink()
        assert not (tmp_path / "elsewhere").exists()

    def test_a_folder_and_one_that_is_not_there(self, cast, tmp_path):
        assert "is there already" in refused(cast, tmp_path, secrets_file=tmp_path)
        said = refused(cast, tmp_path, secrets_file=tmp_path / "none" / "secrets")
        assert said == f"{tmp_path}/none/secrets cannot be made: No such file or directory."
        assert "cannot be made" in refused(cast, tmp_path, secrets_file=str(tmp_path / "a\0b"))

    def test_a_full_disk(self, cast, tmp_path, monkeypatch):
        def full(_file):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(delivery.os, "fsync", full)
        path = tmp_path / "secrets"
        said = refused(cast, tmp_path, secrets_file=path)
        assert said == (
            f"{path} cannot be written: No space left on device. No client was made and nothing was changed."
        )
        assert not path.exists()

    def test_a_disk_without_modes(self, cast, tmp_path, monkeypatch):
        monkeypatch.setattr(delivery.os, "fchmod", lambda file, _mode: os.chmod(file, 0o644))
        path = tmp_path / "secrets"
        assert "cannot be kept from others" in refused(cast, tmp_path, secrets_file=path)
        assert not path.exists()


@pytest.mark.django_db(transaction=True)
class TestTheVeryEnd:
    """The connection breaks at COMMIT, of which nobody can say from here whether it counted."""

    @pytest.fixture
    def cast(self, transactional_db):
        return standing_cast.make()

    @pytest.mark.parametrize("counted", [True, False])
    def test_the_file_is_kept_if_its_clients_are_there(self, counted, cast, tmp_path, monkeypatch):
        commit, broken = connection.commit, []

        def breaking():
            if secrets.exists() and not broken:
                broken.append(True)
                if counted:
                    commit()
                raise OperationalError("server closed the connection unexpectedly")
            commit()

        secrets = tmp_path / "secrets"
        monkeypatch.setattr(connection, "commit", breaking)
        ran = run("apply", file_of(SERVICE), folder=tmp_path, yes=True, secrets_file=secrets)
        assert (ran.code, broken) == (1, [True])
        assert Client.objects.exists() == counted == secrets.exists()
        if counted:
            assert ran.error.startswith(f"It was broken off, and is done. {secrets} was kept")
        else:
            assert ran.error == "It was broken off. Nothing was changed. No secret was kept."


class TestCommands:
    def test_it_reads_them_from_its_standard_input(self, cast, tmp_path):
        kept = tmp_path / "kept.json"
        ran = run(
            "apply",
            file_of(SERVICE, APP),
            folder=tmp_path,
            yes=True,
            secrets_to=command(f"open('{kept}', 'w').write(sys.stdin.read())"),
        )
        assert ran.code == 0
        made = json.loads(kept.read_text())
        assert cast.token(Client.objects.get(name="Billing sync"), made["clients"][0]["client_secret"])

    def test_no_shell_reads_the_words(self, cast, tmp_path):
        said = refused(cast, tmp_path, secrets_to=f"no-such-command; touch {tmp_path}/touched")
        assert said.startswith("no-such-command; cannot be run: No such file or directory.")
        assert not (tmp_path / "touched").exists()

    def test_what_it_writes_is_not_shown(self, cast, tmp_path, capfd):
        ran = run("apply", file_of(SERVICE), folder=tmp_path, yes=True, secrets_to="cat")
        assert ran.code == 0
        shown = "".join(capfd.readouterr()) + ran.said
        assert "lks_" not in shown

    def test_when_it_fails_nothing_is_left_and_its_complaint_holds_no_secret(self, cast, tmp_path):
        body = "sys.stderr.write('No room for ' + sys.stdin.read()); sys.exit(3)"
        said = refused(cast, tmp_path, secrets_to=command(body))
        assert "ended with 3. It said: " in said
        assert said.endswith("No client was made and nothing was changed.")
        assert "lks_" not in said
        assert "••••" in said

    def test_when_it_does_not_end(self, cast, tmp_path, monkeypatch):
        monkeypatch.setattr(delivery, "PATIENCE", 0.3)
        said = refused(cast, tmp_path, secrets_to=command("time.sleep(60)"))
        assert "did not end within 0.3 seconds. No client was made" in said

    @pytest.mark.parametrize("words", ["", " ", "'"])
    def test_words_that_are_no_command(self, words, cast, tmp_path):
        assert "--secrets-to" in refused(cast, tmp_path, secrets_to=words)

    def test_one_place_is_enough(self, cast, tmp_path):
        said = refused(cast, tmp_path, secrets_to="cat", secrets_file=tmp_path / "secrets")
        assert "not allowed with argument" in said

    def test_it_is_not_run_where_nothing_is_new(self, cast, tmp_path):
        cast.client(("Supervisor", cast.home))
        touched = tmp_path / "touched"
        text = file_of("name: Billing sync\ndescription: new")
        ran = run("apply", text, folder=tmp_path, yes=True, secrets_to=f"touch {touched}")
        assert ran.code == 0
        assert not touched.exists()
