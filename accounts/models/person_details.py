"""What a person has several of: phone numbers, IDs in other systems, skills and languages. Rows rather than
JSON, so that a SCIM filter on any of them is a condition of the database."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models.organization import Organization


class PhoneNumber(models.Model):
    """`kind` is the `type` of RFC 7643 4.1.2: `work`, `mobile`, `home`, `fax`, `pager`, `other`, and the
    vendor's `work2` to `work4` and `main`. At most one of a person's is `primary`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="phone_numbers")
    kind = models.CharField(max_length=20)
    value = models.CharField(max_length=64)
    primary = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="phone_number_is_one_of_its_kind")
        ]
        # As SCIM compares them (RFC 7643 4.1.2: case does not matter).
        indexes = [models.Index(Lower("value"), name="phone_number_by_value")]


class ExternalIdentifier(models.Model):
    """The ID that some other system, the `authority`, has for the person (`externalIds` of the vendor's
    extension). In one organization it is one person's."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="external_ids")
    authority = models.CharField(max_length=255)
    value = models.CharField(max_length=255)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "authority", "value"], name="external_identifier_is_one_persons"
            ),
            models.UniqueConstraint(
                fields=["user", "authority"], name="person_has_one_identifier_per_authority"
            ),
        ]


class SkillKind(models.TextChoices):
    SKILL = "skill", _("Skill")
    LANGUAGE = "language", _("Language")


class Skill(models.Model):
    """A routing skill or language, with how well the person has it: 0 to 5."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="skills")
    kind = models.CharField(max_length=8, choices=SkillKind.choices)
    name = models.CharField(max_length=200)
    proficiency = models.FloatField(default=0)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["user", "kind", "name"], name="skill_is_had_once")]
        indexes = [models.Index(fields=["kind", "name"], name="skill_by_name")]
