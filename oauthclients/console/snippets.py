"""Code to copy for a first token, per grant type. The secret is always `$CLIENT_SECRET`, never its value,
so that what is shown, copied or printed gives nothing away."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.permissions import Permission, expand
from accounts.services.grants import NamedPair
from oauthclients import grant_types
from oauthclients.models import Client
from oauthclients.rules import home_region, token_life

Snippet = dict[str, str]


@dataclass(frozen=True)
class Call:
    """A first call of the API: its path, and how the SDKs name it."""

    path: str
    api: str
    method: str
    count: str = ""

    @property
    def python(self) -> str:
        asked = f"{self.count}=5" if self.count else ""
        return f"print(sdk.{self.api}(client).get_{self.method}({asked}))"

    @property
    def javascript(self) -> str:
        asked = f"{{ {_camel(self.count)}: 5 }}" if self.count else ""
        return f"console.log(await new sdk.{self.api}().{_camel(f'get_{self.method}')}({asked}));"


def _camel(name: str) -> str:
    return re.sub("_(.)", lambda found: found[1].upper(), name)


USERS = Call("users?pageSize=5", "UsersApi", "users", "page_size")
SCIM_USERS = Call("scim/v2/users?count=5", "SCIMApi", "scim_v2_users", "count")
OWN_TOKEN = Call("tokens/me", "TokensApi", "tokens_me")


def snippets(client: Client, pairs: Sequence[NamedPair] = ()) -> list[Snippet]:
    """`{id, label, code}` for curl and the two SDKs, for this client's grant type; with what it holds, if
    that is roles, so that the first call is one that it may make."""
    if client.authorization_grant_type == grant_types.CLIENT_CREDENTIALS.code:
        parts = _client_credentials(client, _first_call(pairs))
    else:
        parts = _BY_GRANT[client.authorization_grant_type](client)
    return [{"id": key, "label": str(label), "code": code} for key, label, code in parts]


def _first_call(pairs: Sequence[NamedPair]) -> Call:
    held = [expand(named.role.policies) for named in pairs]
    if token_life.is_scim_only(held):
        return SCIM_USERS
    if any(Permission.DIRECTORY_USER_VIEW in role for role in held):
        return USERS
    return OWN_TOKEN


def token_url(client: Client) -> str:
    """Where this client gets its tokens."""
    return home_region.token_url(settings.REGIONS.called(client.organization.home_region))


def _api(client: Client) -> str:
    return home_region.api_url(client.organization)


Part = tuple[str, str, str]


def _client_credentials(client: Client, call: Call) -> list[Part]:
    return [
        (
            "curl",
            "curl",
            f"""\
TOKEN=$(curl -s -u "{client.client_id}:$CLIENT_SECRET" \\
  -d grant_type=client_credentials \\
  {token_url(client)} | sed -E 's/.*"access_token": *"([^"]+)".*/\\1/')

curl -H "Authorization: Bearer $TOKEN" \\
  "{_api(client)}/api/v2/{call.path}"
""",
        ),
        (
            "python",
            _("Python SDK"),
            f"""\
import os

import PureCloudPlatformClientV2 as sdk

client = sdk.api_client.ApiClient(host="{_api(client)}")
client.get_client_credentials_token("{client.client_id}", os.environ["CLIENT_SECRET"])

{call.python}
""",
        ),
        (
            "javascript",
            _("JavaScript SDK"),
            f"""\
{_javascript_head(client)}
await client.loginClientCredentialsGrant("{client.client_id}", process.env.CLIENT_SECRET);

{call.javascript}
""",
        ),
    ]


def _code(client: Client) -> list[Part]:
    uri = _redirect_uri(client)
    send = _("Send the person's browser to this address:")
    exchange = _("The browser returns with ?code=…; exchange it:")
    received = _("CODE: what your redirect address received as ?code=…")
    pkce = _("In the browser, with PKCE: no secret is needed.")
    return [
        (
            "curl",
            "curl",
            f"""\
# 1. {send}
#    {_authorize_url(client, "code")}

# 2. {exchange}
curl -u "{client.client_id}:$CLIENT_SECRET" \\
  -d grant_type=authorization_code \\
  -d "code=$CODE" \\
  --data-urlencode {shlex.quote(f"redirect_uri={uri}")} \\
  {token_url(client)}
""",
        ),
        (
            "python",
            _("Python SDK"),
            f"""\
import os

import PureCloudPlatformClientV2 as sdk

# {received}
client = sdk.api_client.ApiClient(host="{_api(client)}")
client.get_code_authorization_token(
    "{client.client_id}",
    os.environ["CLIENT_SECRET"],
    os.environ["CODE"],
    {json.dumps(uri)},
)

{_first_call_python(client)}
""",
        ),
        (
            "javascript",
            _("JavaScript SDK"),
            f"""\
{_javascript_head(client)}
// {pkce}
await client.loginPKCEGrant("{client.client_id}", {json.dumps(uri)});

{_first_call_javascript(client)}
""",
        ),
    ]


def _implicit(client: Client) -> list[Part]:
    send = _("Send the person's browser to this address, with a random state that you keep:")
    away = _("Send the person's browser away, with a random state:")
    returns = _("Where it returns to, the token is behind the #:")
    return [
        (
            "address",
            _("Address"),
            f"""\
# {send}
{_authorize_url(client, "token")}
""",
        ),
        (
            "browser",
            "JavaScript",
            f"""\
const answer = new URLSearchParams(location.hash.slice(1));
if (!answer.has("state")) {{
  // 1. {away}
  const state = crypto.randomUUID();
  sessionStorage.setItem("state", state);
  location.href = {json.dumps(_authorize_url(client, "token", state=""))} + state;
}} else {{
  // 2. {returns}
  history.replaceState(null, "", location.pathname);
  const sent = sessionStorage.getItem("state");
  if (!sent || answer.get("state") !== sent) throw new Error("wrong state");
  const token = answer.get("access_token");

  const response = await fetch("{_api(client)}/api/v2/{_first_route(client)}", {{
    headers: {{ Authorization: `Bearer ${{token}}` }},
  }});
  console.log(await response.json());
}}
""",
        ),
        (
            "javascript",
            _("JavaScript SDK"),
            f"""\
{_javascript_head(client)}
await client.loginImplicitGrant("{client.client_id}", {json.dumps(_redirect_uri(client))});

{_first_call_javascript(client)}
""",
        ),
    ]


def _saml2_bearer(client: Client) -> list[Part]:
    organization = client.organization.short_name
    return [
        (
            "curl",
            "curl",
            f"""\
# {_held()}
curl -u "{client.client_id}:$CLIENT_SECRET" \\
  -d grant_type={quote(str(grant_types.SAML2_BEARER.grant_type), safe="")} \\
  -d orgName={organization} \\
  --data-urlencode assertion@assertion.b64 \\
  {token_url(client)}
""",
        ),
        (
            "python",
            _("Python SDK"),
            f"""\
import os
from pathlib import Path

import PureCloudPlatformClientV2 as sdk

# {_held()}
assertion = Path("assertion.b64").read_text().strip()

client = sdk.api_client.ApiClient(host="{_api(client)}")
client.get_saml2bearer_token(
    "{client.client_id}",
    os.environ["CLIENT_SECRET"],
    "{organization}",
    assertion,
)

{_first_call_python(client)}
""",
        ),
        (
            "javascript",
            _("JavaScript SDK"),
            f"""\
import {{ readFileSync }} from "node:fs";
{_javascript_head(client)}

// {_held()}
const assertion = readFileSync("assertion.b64", "utf8").trim();

await client.loginSaml2BearerGrant(
  "{client.client_id}",
  process.env.CLIENT_SECRET,
  "{organization}",
  assertion,
);

{_first_call_javascript(client)}
""",
        ),
    ]


def _held() -> str:
    """An assertion is a credential: it stands in a file, and not in the code."""
    return _("assertion.b64: a fresh assertion from your identity provider, in base64 or base64url")


_BY_GRANT: Mapping[str, Callable[[Client], list[Part]]] = {
    grant_types.CODE.code: _code,
    grant_types.IMPLICIT.code: _implicit,
    grant_types.SAML2_BEARER.code: _saml2_bearer,
}


def _asks_who(client: Client) -> bool:
    """Without that scope the route about the person is refused, and the one about the token is not."""
    return "user-basic-info" in client.scope


def _first_route(client: Client) -> str:
    return "users/me" if _asks_who(client) else "tokens/me"


def _first_call_python(client: Client) -> str:
    call = "UsersApi(client).get_users_me" if _asks_who(client) else "TokensApi(client).get_tokens_me"
    return f"print(sdk.{call}())"


def _first_call_javascript(client: Client) -> str:
    call = "UsersApi().getUsersMe" if _asks_who(client) else "TokensApi().getTokensMe"
    return f"console.log(await new sdk.{call}());"


def _javascript_head(client: Client) -> str:
    """The SDK reaches a host other than the vendor's only through its gateway (wire contract A2), which is
    one for signing in and for the API."""
    base = urlsplit(home_region.login_url(client.organization))
    port = f", port: {base.port}" if base.port else ""
    return f"""\
import sdk from "purecloud-platform-client-v2";

const client = sdk.ApiClient.instance;
client.config.setGateway({{ protocol: "{base.scheme}", host: "{base.hostname}"{port} }});"""


def _redirect_uri(client: Client) -> str:
    uris = client.redirect_uri_list
    return uris[0] if uris else "https://app.example.com/callback"


def _authorize_url(client: Client, response_type: str, *, state: str = "RANDOM") -> str:
    parameters = {
        "client_id": client.client_id,
        "response_type": response_type,
        "redirect_uri": _redirect_uri(client),
        "state": state,  # the last one, so that code can put its own behind it
    }
    return f"{home_region.login_url(client.organization)}/oauth/authorize?{urlencode(parameters)}"
