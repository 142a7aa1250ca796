"""Routes of the API on a page go on in the next line after a slash."""

from __future__ import annotations

from oauthclients.templatetags.routes import breakable


def test_a_route_may_break_after_each_slash():
    assert breakable("/api/v2/users/{userId}") == "/<wbr>api/<wbr>v2/<wbr>users/<wbr>{userId}"


def test_nothing_else_of_it_is_markup():
    assert breakable("/<b>/&") == "/<wbr>&lt;b&gt;/<wbr>&amp;"
