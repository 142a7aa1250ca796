"""What does an assertion cost beside a secret?

Gets tokens by client credentials and by the SAML2 bearer grant, alternately in one run, and prints both
medians and their ratio; and how much of the second is looking at the assertion. Run with:

    .venv/bin/python -m bench.saml_bearer [pairs]
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

os.environ.setdefault("STATE_DIR", tempfile.mkdtemp(prefix="latchkey-bench-"))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"


def main(pairs: int) -> None:
    import django

    django.setup()
    logging.disable()
    from django.core.management import call_command
    from django.test import Client as Browser
    from django.test.utils import override_settings

    call_command("migrate", verbosity=0)
    from accounts import queries
    from accounts.services import assertions
    from config import demo
    from oauthclients.models import Client
    from tests.cast import token_request
    from tests.saml import IdP, Pair, bearer, encode

    made = demo.build()
    service, app = (made["clients"][key] for key in ("client_credentials", "saml2_bearer"))
    said = made["identity_provider"]
    idp = IdP(
        issuer=said["issuer"],
        pair=Pair.of_pem(said["private_key_pem"], said["certificate_pem"]),
        audience=said["audience"],
        recipient=said["recipient"],
        email=said["email"],
    )
    client = Client.objects.get(client_id=app["client_id"])
    acme = queries.organization_called("acme")
    assert acme is not None
    times: dict[str, list[float]] = {"client credentials": [], "SAML2 bearer": [], "its assertion": []}

    def timed(name: str, what: Callable[[], object]) -> None:
        started = time.perf_counter()
        done = what()
        times[name].append(time.perf_counter() - started)
        assert getattr(done, "status_code", 200) == 200, done

    with override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False):
        browser = Browser()
        for _number in range(pairs + 20):
            assertion = idp.assertion()  # signing it is the provider's work
            text = encode(assertion)
            timed(
                "its assertion",
                lambda text=text: assertions.examine(
                    organization=acme, text=text, use=assertions.Use.BEARER
                ),
            )
            timed(
                "client credentials",
                lambda: token_request(browser, service["client_id"], service["client_secret"]),
            )
            timed(
                "SAML2 bearer",
                lambda assertion=assertion: bearer(client, app["client_secret"], assertion),
            )
    # The first ones warm up.
    medians = {name: statistics.median(values[20:]) * 1000 for name, values in times.items()}
    for name, median in medians.items():
        print(f"{name:<18} {median:.2f} ms (median of {pairs})")
    print(f"ratio              {medians['SAML2 bearer'] / medians['client credentials']:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
