"""Phone numbers and further addresses of people, as requests and answers have them (wire contract E3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery, UUIDField
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from accounts import statements
from accounts.models import PhoneNumber, User
from accounts.queries import JSONRows
from accounts.services.person_details import Phone
from oauthclients.api.params import Body
from oauthclients.api.shapes import API_PHONE_KINDS, Contacts

_READ = "phones_read"


def with_contacts(rows: QuerySet[User]) -> QuerySet[User]:
    """These people, with their phone numbers read in the same statement: reading a person takes few."""
    phones = (
        PhoneNumber.objects.filter(user=OuterRef("pk"))
        .order_by()
        .values(all=JSONRows(JSONObject(id="id", kind="kind", value="value", primary="primary")))
    )
    return rows.annotate(**{_READ: Subquery(phones)})


_PHONES = statements.Select(
    lambda user_id: PhoneNumber.objects.filter(user_id=user_id).order_by("id"), user_id=UUIDField()
)


def of(row: User) -> Contacts:
    """Those of a person from `with_contacts`, or read now."""
    if not hasattr(row, _READ):
        phones = [Phone(one.kind, one.value, one.primary) for one in _PHONES(user_id=row.id)]
        return Contacts(phones, row.other_email)
    read = sorted(getattr(row, _READ) or (), key=lambda one: one["id"])
    return Contacts(
        [Phone(one["kind"], one["value"], bool(one["primary"])) for one in read], row.other_email
    )


@dataclass(frozen=True)
class Given:
    """`addresses` of a request: all of the phone numbers that the wire has, and the other email address."""

    phones: Mapping[str, str]
    other_email: str

    def phones_of(self, row: User) -> Sequence[Phone]:
        """What the person's phone numbers become. The main one stays the main one, and what the wire does
        not have (fax, pager) stays."""
        present = of(row).phones
        kept = [one for one in present if one.kind not in API_PHONE_KINDS]
        main = next((one.kind for one in present if one.primary), None)
        if main not in {*self.phones, *(one.kind for one in kept)}:
            main = next(iter(self.phones), None)
        return [
            *kept,
            *(Phone(kind, value, primary=kind == main) for kind, value in self.phones.items()),
        ]


def read(body: Body, row: User | None = None) -> Given | None:
    """None where the request does not give any. What is wrong joins the body's problems."""
    entries = body.entries("addresses")
    if entries is None:
        return None
    phones: dict[str, str] = {}
    emails: list[str] = []
    for entry in entries:
        address, media, kind = (
            (entry.get("address"), entry.get("mediaType"), entry.get("type"))
            if isinstance(entry, dict)
            else (None, None, None)
        )
        if not isinstance(address, str) or not address.strip() or "\x00" in address:
            _refuse(body, _("Each address needs an “address”."))
        elif entry.get("extension"):
            _refuse(body, _("Extensions are not supported here."))
        elif media == "EMAIL":
            if not (row and address.strip().lower() == row.email) and kind != "PRIMARY":
                emails.append(address)
        elif media != "PHONE":
            _refuse(body, _("“mediaType” must be one of: PHONE, EMAIL."))
        elif not isinstance(kind, str) or kind.lower() not in API_PHONE_KINDS:
            allowed = ", ".join(one.upper() for one in API_PHONE_KINDS)
            _refuse(body, _("“type” must be one of: %(allowed)s.") % {"allowed": allowed})
        elif kind.lower() in phones:
            _refuse(body, _("Only one phone number of each type."))
        else:
            phones[kind.lower()] = address
    if len(emails) > 1:
        _refuse(body, _("Only one email address besides the one to sign in by."))
    return Given(phones, emails[0] if emails else "")


def _refuse(body: Body, message: str) -> None:
    body.problems.add("addresses", "invalid.value", message)
