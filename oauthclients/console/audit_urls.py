"""Oversight > Audit log, under /admin/audit/."""

from django.urls import path

from oauthclients.console import audit_export, audit_log

urlpatterns = [
    path("", audit_log.audit_log, name="audit-log"),
    path("lines.csv", audit_export.lines_csv, name="audit-log-csv"),
    path("lines.json", audit_export.lines_json, name="audit-log-json"),
]
