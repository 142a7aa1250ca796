from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.errors import NotFound
from oauthclients.console import drafts
from oauthclients.console.drafts import DraftChangedError, DraftUsedError
from oauthclients.models import ClientDraft


@pytest.fixture
def ada(cast):
    return cast.actor(cast.ada)


def test_adding_again_goes_on_with_the_unfinished_draft(ada):
    assert drafts.resume(ada) == drafts.resume(ada)


def test_a_draft_older_than_14_days_is_replaced_by_a_fresh_one(ada):
    old = drafts.resume(ada)
    ClientDraft.objects.filter(id=old.id).update(
        saved_at=timezone.now() - timedelta(days=14, seconds=1), data={"details": {"name": "Old"}}
    )
    fresh = drafts.resume(ada)
    assert fresh.id != old.id
    assert fresh.data == {}
    assert not ClientDraft.objects.filter(id=old.id).exists()


def test_a_draft_of_13_days_is_kept(ada):
    old = drafts.resume(ada)
    ClientDraft.objects.filter(id=old.id).update(saved_at=timezone.now() - timedelta(days=13))
    assert drafts.resume(ada).id == old.id


def test_after_a_draft_was_used_the_next_one_is_fresh(ada):
    used = drafts.resume(ada)
    drafts.claim(used, version=used.version)
    drafts.used_for(used, uuid.uuid4())
    assert drafts.resume(ada).id != used.id


def test_nobody_finds_the_draft_of_somebody_else(cast, ada):
    draft = drafts.resume(ada)
    for person in (cast.ben, cast.cleo):
        with pytest.raises(NotFound):
            drafts.own(cast.actor(person), draft.id)


def test_saving_over_a_version_that_is_not_the_newest_is_refused_and_changes_nothing(ada):
    draft = drafts.resume(ada)
    newest = drafts.save(draft, version=draft.version, data={"details": {"name": "One"}})
    with pytest.raises(DraftChangedError):
        drafts.save(newest, version=draft.version, data={"details": {"name": "Two"}})
    with pytest.raises(DraftChangedError):
        drafts.save(draft, version=newest.version, data={"details": {"name": "Three"}})
    assert drafts.own(ada, draft.id).data == {"details": {"name": "One"}}


def test_a_draft_can_be_claimed_once(ada):
    draft = drafts.resume(ada)
    drafts.claim(draft, version=draft.version)
    with pytest.raises(DraftChangedError):
        drafts.claim(draft, version=draft.version)
    drafts.used_for(draft, uuid.uuid4())
    with pytest.raises(DraftUsedError):
        drafts.claim(draft, version=draft.version + 1)


def test_a_used_draft_forgets_what_was_typed(ada):
    draft = drafts.save(drafts.resume(ada), version=1, data={"details": {"name": "One"}})
    drafts.claim(draft, version=draft.version)
    drafts.used_for(draft, uuid.uuid4())
    assert drafts.own(ada, draft.id).data == {}


def test_a_used_draft_cannot_be_discarded(ada):
    draft = drafts.resume(ada)
    drafts.claim(draft, version=draft.version)
    drafts.used_for(draft, uuid.uuid4())
    drafts.discard(draft)
    assert ClientDraft.objects.filter(id=draft.id).exists()
