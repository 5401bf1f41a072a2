"""Addresses of requests: those of residents are short, since they stand on posters and in messages."""

from __future__ import annotations

from django.urls import path

from shouwang.requests.pages import calls, desk, field, importing, photos, posters, resident

app_name = "requests"
urlpatterns = [
    path("report/", resident.choose, name="choose"),
    path("report/<int:area_id>/", resident.report, name="report"),
    path("follow/<str:token>/", resident.follow, name="follow"),
    path("progress/", resident.progress, name="progress"),
    path("field-report/", field.report, name="field"),
    path("requests/", desk.requests, name="requests"),
    path("requests/new/", calls.take, name="new"),
    path("requests/new/nearby/", calls.around, name="nearby"),
    path("requests/posters/", posters.posters, name="posters"),
    path("requests/photo/<str:token>/", photos.linked_photo, name="linked_photo"),
    path("requests/import/", importing.bring_in, name="import"),
    path("requests/import/template.xlsx", importing.template, name="template"),
    path("requests/import/<int:upload_id>/", importing.preview, name="preview"),
    path("requests/import/<int:upload_id>/decide/", importing.decide, name="decide"),
    path("requests/import/<int:upload_id>/taking/", importing.taking, name="taking"),
    path("requests/import/<int:upload_id>/bad.xlsx", importing.bad_rows, name="bad_rows"),
    path("requests/<int:request_id>/", desk.one, name="one"),
    path("requests/<int:request_id>/photos/<int:file_id>/", photos.photo, name="photo"),
    path("requests/<int:request_id>/contact/<int:report_id>/", desk.show_contact, name="contact"),
    path("requests/<int:request_id>/receipt/<int:report_id>/", calls.receipt, name="receipt"),
]
