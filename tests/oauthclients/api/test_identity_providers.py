"""`/identityproviders` (wire contract I)."""

from __future__ import annotations

import json
import uuid

import PureCloudPlatformClientV2 as gc  # noqa: N813
import pytest
from django.conf import settings

from accounts.audit import Action
from accounts.models import AuditEvent, Binding, IdentityProvider, NameIdFormat, Organization, User
from accounts.rules.provider_spec import SLOTS
from accounts.services import identity_providers
from tests import cast as standing_cast
from tests.oauthclients.api.conftest import Api, refused
from tests.saml import LONG_AGO, IdP, pair

PEM, OTHER_PEM = pair().certificate, pair("ec").certificate
SINGLE_SIGN_ON = ("sso:provider:view", "sso:provider:add", "sso:provider:edit", "sso:provider:delete")


def der(pem: str) -> str:
    """As it goes over the wire."""
    return "".join(pem.split("\n")[1:-2])


def body(**more: object) -> dict[str, object]:
    return {
        "name": "Acme IdP",
        "issuerURI": "https://idp.acme.example/metadata",
        "ssoTargetURI": "https://idp.acme.example/sso",
        "certificate": der(PEM),
        **more,
    }


def fields(response, code: str = "invalid.value") -> set[str]:
    return {one["fieldName"] for one in refused(response, 400, code)["details"]}


@pytest.fixture
def provider(cast) -> IdentityProvider:
    return IdP().provider(cast.acme)


@pytest.fixture
def limited(cast, api):
    """May edit single sign-on, and not all that Ada may do."""
    cast.custom_role("Single sign-on", *SINGLE_SIGN_ON)
    return api(("Single sign-on", None), name="Limited")


# --- Making, reading, changing, deleting ---------------------------------------------------------


def test_a_provider_of_any_name_is_made_and_read(admin, cast):
    response = admin.post("/identityproviders", body())

    assert response.status_code == 200
    made = response.json()
    assert made == {
        "id": made["id"],
        "name": "Acme IdP",
        "disabled": False,
        "issuerURI": "https://idp.acme.example/metadata",
        "ssoTargetURI": "https://idp.acme.example/sso",
        "ssoBinding": Binding.REDIRECT,
        "certificate": der(PEM),
        "certificates": [der(PEM)],
        "nameIdentifierFormat": NameIdFormat.UNSPECIFIED,
        "emailAttribute": "email",
        "signAuthnRequests": False,
        "forceAuthn": False,
        "displayOnLogin": True,
        "acceptForBearerGrant": False,
        "entityId": f"{settings.BASE_URL}/saml/acme",
        "acsUrl": f"{settings.BASE_URL}/saml",
        "version": 1,
        "selfUri": f"/api/v2/identityproviders/{made['id']}",
    }
    assert admin.get(f"/identityproviders/{made['id']}").json() == made
    assert admin.get(made["selfUri"].removeprefix("/api/v2")).json() == made
    assert AuditEvent.objects.get(action=Action.PROVIDER_CREATED).actor_name == "Admin caller"


def test_everything_that_is_sent_is_stored_and_answered(admin):
    sent = body(
        disabled=True,
        ssoBinding=Binding.POST,
        sloURI="https://idp.acme.example/slo",
        sloBinding="HTTP Post",
        relyingPartyIdentifier="urn:acme:latchkey",
        audience="urn:acme:people",
        certificates=[der(PEM), der(OTHER_PEM)],
        nameIdentifierFormat=NameIdFormat.EMAIL,
        emailAttribute="mail",
        signAuthnRequests=True,
        forceAuthn=True,
        displayOnLogin=False,
        acceptForBearerGrant=True,
        metadataURL="https://idp.acme.example/metadata.xml",
    )
    made = admin.post("/identityproviders", sent).json()
    del sent["certificate"]
    assert made.items() >= sent.items()
    assert made["entityId"] == "urn:acme:latchkey"


def test_a_listing_has_all_of_the_organization_by_name_and_none_of_another(admin, cast):
    IdP(name="Of Globex").provider(cast.globex)
    admin.put("/identityproviders/okta", body(issuerURI="https://okta.example/1", name="Zeta"))
    admin.post("/identityproviders", body())
    listing = admin.get("/identityproviders").json()
    assert [one["name"] for one in listing["entities"]] == ["Acme IdP", "Zeta"]
    assert listing["selfUri"] == "/api/v2/identityproviders"
    envelope = {key: listing[key] for key in ("total", "pageSize", "pageNumber", "pageCount")}
    assert envelope == {"total": 2, "pageSize": 25, "pageNumber": 1, "pageCount": 1}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": "Changed"}, "name"),
        ({"disabled": True}, "enabled"),
        ({"issuerURI": "https://other.example/"}, "issuer"),
        ({"ssoTargetURI": "https://other.example/"}, "target_url"),
        ({"ssoBinding": Binding.POST}, "target_binding"),
        ({"sloURI": "https://other.example/"}, "logout_url"),
        ({"sloBinding": Binding.POST}, "logout_binding"),
        ({"audience": ""}, "audience"),
        ({"relyingPartyIdentifier": ""}, "relying_party_identifier"),
        ({"nameIdentifierFormat": NameIdFormat.TRANSIENT}, "name_id_format"),
        ({"emailAttribute": ""}, "email_attribute"),
        ({"certificates": [der(OTHER_PEM)]}, "certificates"),
        ({"certificate": der(OTHER_PEM)}, "certificates"),
        ({"signAuthnRequests": True}, "sign_requests"),
        ({"forceAuthn": True}, "force_authn"),
        ({"displayOnLogin": False}, "show_on_sign_in"),
        ({"acceptForBearerGrant": False}, "accept_bearer"),
        ({"metadataURL": "https://other.example/"}, "metadata_url"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_a_put_of_one_field_keeps_the_rest(admin, cast, sent, field):
    row = IdP().provider(cast.acme, audience="urn:a", relying_party_identifier="urn:b")
    everything = admin.get(f"/identityproviders/{row.id}").json()
    before = identity_providers.spec_of(row)
    nothing = {key: None for key in everything if key not in sent}

    assert admin.put(f"/identityproviders/{row.id}", {**nothing, **sent}).status_code == 200

    row.refresh_from_db()
    after = identity_providers.spec_of(row)
    changed = {name for name in vars(before) if getattr(before, name) != getattr(after, name)}
    assert changed == {field}
    assert row.version == 2


def test_an_answer_that_is_sent_back_changes_nothing(admin, provider):
    answered = admin.get(f"/identityproviders/{provider.id}").json()
    assert admin.put(f"/identityproviders/{provider.id}", answered).json() == answered
    assert not AuditEvent.objects.filter(action=Action.PROVIDER_EDITED).exists()


def test_a_version_is_heeded_where_it_is_sent(admin, provider):
    path = f"/identityproviders/{provider.id}"
    assert admin.put(path, {"name": "One", "version": 1}).json()["version"] == 2
    refused(admin.put(path, {"name": "Two", "version": 1}), 409, "general.conflict")
    assert admin.put(path, {"name": "Three"}).json()["version"] == 3
    assert fields(admin.put(path, {"version": "3"})) == {"version"}


def test_a_deleted_provider_is_gone(admin, provider):
    response = admin.delete(f"/identityproviders/{provider.id}")
    assert (response.status_code, response.content) == (204, b"")
    refused(admin.get(f"/identityproviders/{provider.id}"), 404, "not.found")
    refused(admin.put(f"/identityproviders/{provider.id}", {"name": "X"}), 404, "not.found")
    refused(admin.delete(f"/identityproviders/{provider.id}"), 404, "not.found")


@pytest.mark.parametrize("id", ["nonsense", str(uuid.UUID(int=1)), "Okta", "purecloud2", "%00"])
def test_an_unknown_id_is_not_found(admin, id):
    for answer in (
        admin.get(f"/identityproviders/{id}"),
        admin.put(f"/identityproviders/{id}", body()),
        admin.delete(f"/identityproviders/{id}"),
    ):
        refused(answer, 404, "not.found")


def test_what_there_is_not_is_ignored_and_never_answered(admin):
    sent = body(logoImageData="PHN2Zz4=", endpointCompression=True, autoProvisionUsers=True, slot="ping")
    made = admin.post("/identityproviders", sent).json()
    assert not {"logoImageData", "endpointCompression", "autoProvisionUsers", "slot"} & made.keys()
    refused(admin.get("/identityproviders/ping"), 404, "not.found")


# --- Certificates and words ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [PEM, der(PEM), "\n".join(PEM.split("\n")[1:-2]), f"\n {PEM}\r\n"],
    ids=["PEM", "base64", "base64 in lines", "PEM with spaces around"],
)
def test_a_certificate_may_be_pem_or_base64_and_is_answered_in_base64(admin, form):
    made = admin.post("/identityproviders", body(certificate=form)).json()
    assert (made["certificate"], made["certificates"]) == (der(PEM), [der(PEM)])
    assert IdentityProvider.objects.get().certificates == [PEM]


def test_certificate_and_certificates_are_one_list_without_repeats(admin):
    sent = body(certificate=der(PEM), certificates=[PEM, OTHER_PEM, der(OTHER_PEM), ""])
    made = admin.post("/identityproviders", sent).json()
    assert made["certificates"] == [der(PEM), der(OTHER_PEM)]


def test_of_several_certificates_none_is_the_certificate(admin):
    """Terraform would take it for the only one."""
    made = admin.post("/identityproviders", body(certificates=[der(OTHER_PEM)])).json()
    assert "certificate" not in made
    one = admin.put(f"/identityproviders/{made['id']}", {"certificates": [der(OTHER_PEM)]}).json()
    assert (one["certificate"], one["certificates"]) == (der(OTHER_PEM), [der(OTHER_PEM)])


def test_a_provider_cannot_be_left_without_a_certificate(admin, provider):
    path = f"/identityproviders/{provider.id}"
    for sent in ({"certificates": []}, {"certificate": ""}, {"certificate": "", "certificates": [""]}):
        assert fields(admin.put(path, sent)) == {"certificates"}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("HTTP Post", Binding.POST),
        ("HTTP Redirect", Binding.REDIRECT),
        ("http post", Binding.POST),
        (Binding.POST, Binding.POST),
        (Binding.REDIRECT.lower(), Binding.REDIRECT),
        ("", Binding.REDIRECT),
    ],
)
def test_a_binding_may_be_the_vendors_words_or_a_urn(admin, sent, stored):
    slo = "https://idp.acme.example/slo"
    made = admin.post("/identityproviders", body(ssoBinding=sent, sloBinding=sent, sloURI=slo)).json()
    row = IdentityProvider.objects.get()
    assert (row.target_binding, row.logout_binding) == (stored, stored)
    words = {Binding.POST: "HTTP Post", Binding.REDIRECT: "HTTP Redirect"}
    assert (made["ssoBinding"], made["sloBinding"]) == (stored, words[stored])


def test_there_is_no_binding_of_a_single_logout_that_there_is_not(admin):
    made = admin.post("/identityproviders", body(sloURI="", sloBinding="")).json()
    assert not {"sloURI", "sloBinding"} & made.keys()


# --- Refusals ------------------------------------------------------------------------------------


WRONG: list[tuple[str, object]] = [
    *((field, 1) for field in ("name", "issuerURI", "ssoTargetURI", "certificate", "sloURI")),
    *((field, ["x"]) for field in ("audience", "emailAttribute", "ssoBinding", "metadataURL")),
    *((field, "true") for field in ("disabled", "signAuthnRequests", "forceAuthn", "displayOnLogin")),
    ("acceptForBearerGrant", 1),
    ("certificates", "x"),
    ("certificates", ["x", 1]),
    ("certificates", ["x"]),
    ("certificates", [PEM + OTHER_PEM]),
    ("certificates", [der(pair().valid(LONG_AGO, LONG_AGO.replace(year=2021)).certificate)]),
    ("name", " "),
    ("name", "x" * 101),
    ("name", "a\x00b"),
    ("issuerURI", ""),
    ("issuerURI", "with a space"),
    ("ssoTargetURI", ""),
    ("ssoTargetURI", "http://idp.acme.example/sso"),
    ("ssoTargetURI", "javascript:alert(1)"),
    ("sloURI", "ftp://idp.acme.example/"),
    ("metadataURL", "file:///etc/passwd"),
    ("ssoBinding", "HTTP Artifact"),
    ("sloBinding", "SOAP"),
    ("nameIdentifierFormat", "email"),
    ("emailAttribute", "x" * 256),
    ("relyingPartyIdentifier", "x" * 1025),
]


@pytest.mark.parametrize(
    ("field", "value"), WRONG, ids=[f"{field} {number}" for number, (field, _value) in enumerate(WRONG)]
)
def test_what_is_wrong_is_refused_in_its_own_field(admin, cast, field, value):
    row = IdP(name="First", issuer="https://first.example/").provider(cast.acme)
    for answer in (
        admin.post("/identityproviders", body(**{field: value})),
        admin.put(f"/identityproviders/{row.id}", {field: value}),
        admin.put("/identityproviders/okta", body(**{field: value})) if value != " " else None,
    ):
        if answer is not None:
            assert fields(answer) == {field}
    assert IdentityProvider.objects.count() == 1
    row.refresh_from_db()
    assert row.version == 1


def test_everything_that_is_missing_is_named_at_once(admin):
    response = admin.post("/identityproviders", {})
    assert fields(response) >= {"name", "issuerURI", "ssoTargetURI"}
    response = admin.put("/identityproviders/okta", None)
    assert fields(response) >= {"issuerURI", "ssoTargetURI"}
    response = admin.post("/identityproviders", body(certificate=None))
    assert fields(response) == {"certificates"}


@pytest.mark.parametrize("content", [b"[]", b'"x"', b"1"])
def test_a_body_is_an_object(admin, provider, content):
    refused(admin.post("/identityproviders", content), 400, "bad.request")
    refused(admin.put(f"/identityproviders/{provider.id}", content), 400, "bad.request")
    refused(admin.put("/identityproviders/okta", content), 400, "bad.request")
    refused(admin.put("/identityproviders/purecloud", content), 400, "bad.request")


@pytest.mark.parametrize("taken", ["name", "issuerURI"])
def test_a_name_and_an_issuer_are_an_organizations_only_once(admin, cast, taken):
    IdP(name="First", issuer="https://first.example/").provider(cast.acme)
    IdP(name="Acme IdP", issuer="https://idp.acme.example/metadata").provider(cast.globex)
    theirs = {"name": "first", "issuerURI": "https://first.example/"}
    answer = refused(
        admin.post("/identityproviders", body(**{taken: theirs[taken]})), 409, "resource.already.exists"
    )
    assert answer["messageParams"] == {"field": taken}
    made = admin.post("/identityproviders", body()).json()
    answer = admin.put(f"/identityproviders/{made['id']}", {taken: theirs[taken]})
    refused(answer, 409, "resource.already.exists")


def test_an_organization_has_so_many_providers_and_no_more(admin, cast):
    for number in range(identity_providers.MOST_PROVIDERS):
        IdP(name=f"IdP {number}", issuer=f"https://{number}.example/").provider(cast.acme)
    refused(admin.post("/identityproviders", body()), 409, "request.conflict")


# --- Whom the organization believes --------------------------------------------------------------


def test_who_may_not_do_all_that_anybody_may_makes_none(limited):
    for answer in (
        limited.post("/identityproviders", body()),
        limited.put("/identityproviders/okta", body()),
    ):
        assert "Admin" in refused(answer, 403, "missing.division.permissions")["message"]
    assert not IdentityProvider.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"certificates": [der(PEM), der(OTHER_PEM)]},
        {"certificate": der(OTHER_PEM)},
        {"issuerURI": "https://mine.example/"},
        {"audience": "urn:mine"},
        {"relyingPartyIdentifier": "urn:mine"},
        {"emailAttribute": "nickname"},
        {"disabled": False},
        {"acceptForBearerGrant": True},
    ],
    ids=lambda sent: next(iter(sent)),
)
@pytest.mark.parametrize("slot", ["", "okta"])
def test_nor_makes_one_believed_for_more(limited, cast, sent, slot):
    row = IdP().provider(cast.acme, slot=slot, enabled=False, accept_bearer=False)
    refused(limited.put(f"/identityproviders/{slot or row.id}", sent), 403, "missing.division.permissions")
    row.refresh_from_db()
    assert row.version == 1


def test_but_may_rename_it_switch_it_off_and_delete_it(limited, cast):
    row = IdP().provider(cast.acme, certificates=(PEM, OTHER_PEM))
    path = f"/identityproviders/{row.id}"
    for sent in (
        {"name": "Renamed"},
        {"certificates": [der(PEM)]},
        {"acceptForBearerGrant": False},
        {"disabled": True},
    ):
        assert limited.put(path, sent).status_code == 200
    assert limited.delete(path).status_code == 204


# --- The vendor's routes -------------------------------------------------------------------------


@pytest.mark.parametrize("slot", SLOTS)
def test_a_put_makes_the_provider_of_a_route_and_the_next_changes_it(admin, slot):
    path = f"/identityproviders/{slot}"
    refused(admin.get(path), 404, "not.found")
    refused(admin.delete(path), 404, "not.found")

    made = admin.put(path, {**body(), "name": None}).json()

    assert (made["name"], made["selfUri"]) == (SLOTS[slot], f"/api/v2{path}")
    assert admin.get(path).json() == made == admin.get(f"/identityproviders/{made['id']}").json()
    assert [one["id"] for one in admin.get("/identityproviders").json()["entities"]] == [made["id"]]
    changed = admin.put(path, {"name": "Ours", "version": 1}).json()
    assert changed == {**made, "name": "Ours", "version": 2}
    refused(admin.put(path, {"name": "Theirs", "version": 1}), 409, "general.conflict")
    response = admin.delete(path)
    assert (response.status_code, response.json()) == (200, {})
    refused(admin.get(path), 404, "not.found")


def test_as_terraform_sends_it(admin):
    """Empty texts for what nobody chose; a single certificate twice."""
    sent = body(
        name="",
        sloURI="",
        sloBinding="",
        relyingPartyIdentifier="",
        nameIdentifierFormat="",
        logoImageData="",
        certificates=[der(PEM)],
    )
    made = admin.put("/identityproviders/ping", sent).json()
    assert (made["name"], made["certificate"]) == (SLOTS["ping"], der(PEM))
    assert admin.put("/identityproviders/ping", sent).json() == made


def test_the_provider_of_a_route_in_another_organization_is_none_here(admin, cast):
    IdP().provider(cast.globex, slot="okta")
    refused(admin.get("/identityproviders/okta"), 404, "not.found")
    refused(admin.delete("/identityproviders/okta"), 404, "not.found")
    assert admin.put("/identityproviders/okta", body()).status_code == 200
    assert IdentityProvider.objects.filter(slot="okta").count() == 2


def test_making_one_by_put_takes_add_and_changing_one_takes_edit(cast, api):
    cast.custom_role("Adder", "sso:provider:add")
    cast.custom_role("Editor", "sso:provider:edit")
    User.objects.filter(organization=cast.acme).update(state="inactive")
    adder, editor = api(("Adder", None)), api(("Editor", None))
    answer = refused(editor.put("/identityproviders/okta", body()), 403, "missing.any.permissions")
    assert answer["messageParams"] == {"permissions": "sso:provider:add"}
    assert adder.put("/identityproviders/okta", body()).status_code == 200
    answer = refused(adder.put("/identityproviders/okta", body()), 403, "missing.any.permissions")
    assert answer["messageParams"] == {"permissions": "sso:provider:edit"}
    assert editor.put("/identityproviders/okta", body(name="Ours")).json()["name"] == "Ours"


# --- Signing in with a password ------------------------------------------------------------------


def test_signing_in_with_a_password_is_switched_off_and_on(admin, cast, provider):
    on = {
        "id": "purecloud",
        "name": "Latchkey",
        "disabled": False,
        "selfUri": "/api/v2/identityproviders/purecloud",
    }
    ada = str(cast.ada.id)
    off = {**on, "disabled": True, "passwordKeeper": {"id": ada, "selfUri": f"/api/v2/users/{ada}"}}
    path = "/identityproviders/purecloud"
    assert admin.get(path).json() == on

    assert admin.put(path, {"disabled": True, "passwordKeeper": {"id": ada}}).json() == off

    assert admin.get(path).json() == off
    organization = Organization.objects.get(id=cast.acme.id)
    assert (organization.only_sso, organization.password_keeper_id) == (True, cast.ada.id)
    assert admin.put(path, {"disabled": False}).json() == on
    # The keeper of before keeps the password.
    assert admin.put(path, {"disabled": True}).json() == off
    assert admin.put(path, off).json() == off


def test_deleting_it_is_switching_it_off(admin, cast, provider):
    Organization.objects.filter(id=cast.acme.id).update(password_keeper=cast.ada)
    response = admin.delete("/identityproviders/purecloud")
    assert (response.status_code, response.json()) == (200, {})
    assert admin.get("/identityproviders/purecloud").json()["disabled"] is True


def test_somebody_who_could_undo_it_must_keep_a_password(admin, cast, provider):
    path = "/identityproviders/purecloud"
    # A client, which the caller is, signs in nowhere.
    assert fields(admin.put(path, {"disabled": True})) == {"passwordKeeper"}
    assert fields(admin.delete(path)) == {"passwordKeeper"}
    for id in (cast.eve.id, cast.cleo.id, uuid.uuid4(), "nonsense"):
        sent = {"disabled": True, "passwordKeeper": {"id": str(id)}}
        assert fields(admin.put(path, sent)) == {"passwordKeeper"}
    for wrong in ("x", {}, {"id": 1}, {"id": ""}, [cast.ada.name]):
        assert fields(admin.put(path, {"disabled": True, "passwordKeeper": wrong})) == {"passwordKeeper"}
    assert admin.get(path).json()["disabled"] is False


def test_an_app_of_an_administrator_makes_them_the_keeper(cast, provider):
    app = cast.app("identity-providers")
    headers = cast.acting_for(cast.ada, app.client, "identity-providers")

    answer = Api(headers).put("/identityproviders/purecloud", {"disabled": True}).json()
    assert answer["passwordKeeper"]["id"] == str(cast.ada.id)


def test_it_is_not_switched_off_where_nobody_could_sign_in(admin, cast):
    path = "/identityproviders/purecloud"
    sent = {"disabled": True, "passwordKeeper": {"id": str(cast.ada.id)}}
    assert fields(admin.put(path, sent)) == {"disabled"}
    row = IdP().provider(cast.acme)
    assert admin.put(path, sent).status_code == 200
    refused(admin.put(f"/identityproviders/{row.id}", {"disabled": True}), 409, "request.conflict")
    refused(admin.delete(f"/identityproviders/{row.id}"), 409, "request.conflict")


def test_to_switch_it_off_or_on_must_be_said(admin):
    assert fields(admin.put("/identityproviders/purecloud", {})) == {"disabled"}
    assert fields(admin.put("/identityproviders/purecloud", {"disabled": "no"})) == {"disabled"}


# --- The official SDK ----------------------------------------------------------------------------


class TestWithTheOfficialSDK:
    """Unmodified, against a running server."""

    @pytest.fixture
    def cast(self, transactional_db):
        """As everywhere, in a database that the server's thread sees."""
        return standing_cast.make()

    @pytest.fixture
    def sdk(self, cast, live_server):
        client, secret = cast.client(("Admin", None), name="Single sign-on")
        api = gc.api_client.ApiClient(host=live_server.url)
        api.get_client_credentials_token(client.client_id, secret)
        return gc.IdentityProviderApi(api)

    def refused(self, call, status: int, code: str) -> None:
        with pytest.raises(gc.rest.ApiException) as caught:
            call()
        assert (caught.value.status, json.loads(caught.value.body)["code"]) == (status, code)

    def test_it_makes_reads_changes_and_deletes_a_provider_of_any_name(self, sdk):
        wanted = gc.CustomProvider()
        wanted.name = "Acme IdP"
        wanted.issuer_uri = "https://idp.acme.example/metadata"
        wanted.sso_target_uri = "https://idp.acme.example/sso"
        wanted.sso_binding = Binding.POST.value
        wanted.slo_uri = "https://idp.acme.example/slo"
        wanted.slo_binding = "HTTP Redirect"
        wanted.name_identifier_format = NameIdFormat.EMAIL.value
        wanted.certificates = [PEM, OTHER_PEM]
        wanted.sign_authn_requests = True
        made = sdk.post_identityproviders(wanted)
        assert made.certificates == [der(PEM), der(OTHER_PEM)]
        assert (made.sso_binding, made.slo_binding) == (Binding.POST, "HTTP Redirect")
        assert made.name_identifier_format == NameIdFormat.EMAIL
        assert (made.sign_authn_requests, made.disabled, made.display_on_login) == (True, False, True)

        made.name, made.certificates = "Renamed", [der(PEM)]
        changed = sdk.put_identityprovider(made.id, made)
        assert (changed.name, changed.certificate) == ("Renamed", der(PEM))
        assert sdk.get_identityprovider(made.id).to_dict() == changed.to_dict()
        listing = sdk.get_identityproviders()
        assert (listing.total, listing.page_count) == (1, 1)
        assert listing.entities[0].issuer_uri == "https://idp.acme.example/metadata"

        wanted.name = " "
        self.refused(lambda: sdk.post_identityproviders(wanted), 400, "invalid.value")
        assert sdk.delete_identityprovider(made.id) is None
        self.refused(lambda: sdk.get_identityprovider(made.id), 404, "not.found")

    @pytest.mark.parametrize(
        ("slot", "model"),
        [
            ("adfs", gc.ADFS),
            ("cic", gc.CustomerInteractionCenter),
            ("generic", gc.GenericSAML),
            ("gsuite", gc.GSuite),
            ("identitynow", gc.IdentityNow),
            ("okta", gc.Okta),
            ("onelogin", gc.OneLogin),
            ("ping", gc.PingIdentity),
            ("pureengage", gc.PureEngage),
            ("salesforce", gc.Salesforce),
        ],
    )
    def test_it_sets_up_the_provider_of_a_route(self, sdk, slot, model):
        get, put, delete = (
            getattr(sdk, f"{verb}_identityproviders_{slot}") for verb in ("get", "put", "delete")
        )
        self.refused(get, 404, "not.found")
        wanted = model()
        wanted.issuer_uri = "https://idp.acme.example/metadata"
        wanted.sso_target_uri = "https://idp.acme.example/sso"
        wanted.certificate = der(PEM)
        assert put(wanted).name == SLOTS[slot]
        read = get()
        assert isinstance(read, model)
        assert (read.certificate, read.disabled) == (der(PEM), False)
        read.disabled = True
        assert put(read).disabled is True
        delete()
        self.refused(get, 404, "not.found")

    def test_it_switches_signing_in_with_a_password_off_and_on(self, cast, sdk):
        IdP().provider(cast.acme)
        Organization.objects.filter(id=cast.acme.id).update(password_keeper=cast.ada)
        read = sdk.get_identityproviders_purecloud()
        assert read.disabled is False
        read.disabled = True
        assert sdk.put_identityproviders_purecloud(read).disabled is True
        read.disabled = False
        assert sdk.put_identityproviders_purecloud(read).disabled is False
        sdk.delete_identityproviders_purecloud()
        assert sdk.get_identityproviders_purecloud().disabled is True
