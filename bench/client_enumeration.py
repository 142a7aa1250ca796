"""Can the time of a refusal tell whether a client exists?

Sends requests with an unknown client and with a wrong secret to the token endpoint, alternately in one
run, and prints both medians and their ratio (1.00 is what we want). Run with:

    .venv/bin/python -m bench.client_enumeration [pairs]
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import tempfile
import time
import uuid

os.environ.setdefault("STATE_DIR", tempfile.mkdtemp(prefix="latchkey-bench-"))
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["RATE_TOKEN_FAILURES"] = "0"


def main(pairs: int) -> None:
    import django

    django.setup()
    logging.disable()
    from django.core.management import call_command
    from django.test import Client as Browser
    from django.test.utils import override_settings

    call_command("migrate", verbosity=0)
    from config import demo
    from tests.cast import token_request

    known = demo.build()["clients"]["client_credentials"]["client_id"]
    times: dict[str, list[float]] = {"unknown client": [], "wrong secret": []}
    with override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False):
        browser = Browser()
        for number in range(pairs + 50):
            for name, client_id in (("unknown client", str(uuid.uuid4())), ("wrong secret", known)):
                started = time.perf_counter()
                response = token_request(browser, client_id, "lks_wrong")
                elapsed = time.perf_counter() - started
                assert response.status_code == 401
                if number >= 50:  # the first ones warm up
                    times[name].append(elapsed)
    medians = {name: statistics.median(values) * 1000 for name, values in times.items()}
    for name, median in medians.items():
        print(f"{name:<16} {median:.3f} ms (median of {pairs})")
    print(f"ratio            {medians['wrong secret'] / medians['unknown client']:.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
