from django.http import HttpResponse


def _x(request, *a, **k):
    return HttpResponse("x")


start = healthz = readyz = theme = admin_home = bad_request = not_allowed = not_found = server_error = (
    expired_form
) = _x
