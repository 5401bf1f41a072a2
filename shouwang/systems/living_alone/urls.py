"""Addresses of the living-alone system."""

from __future__ import annotations

from django.urls import path

from shouwang.systems.living_alone.pages import care, homes, importing, programme, trials

app_name = "living_alone"
urlpatterns = [
    path("living-alone/", homes.homes, name="homes"),
    path("living-alone/programme/", programme.programme, name="programme"),
    path("living-alone/programme/rule/", programme.switch, name="switch"),
    path("living-alone/programme/trial/", trials.trial, name="trial"),
    path("living-alone/programme/trial/ask/", trials.ask, name="ask_trial"),
    path("living-alone/programme/trial/<int:trial_id>/accept/", trials.accept, name="accept_trial"),
    path("living-alone/care/", care.care, name="care"),
    path("living-alone/care/worker.js", care.worker, name="care_worker"),
    path("living-alone/new/", homes.enrol, name="enrol"),
    path("living-alone/import/", importing.bring_in, name="import"),
    path("living-alone/import/template.xlsx", importing.template, name="template"),
    path("living-alone/import/<int:upload_id>/", importing.preview, name="preview"),
    path("living-alone/import/<int:upload_id>/decide/", importing.decide, name="decide"),
    path("living-alone/import/<int:upload_id>/progress/", importing.progress, name="progress"),
    path("living-alone/import/<int:upload_id>/bad.xlsx", importing.bad_rows, name="bad_rows"),
    path("living-alone/<int:household_id>/", homes.home, name="home"),
    path("living-alone/<int:household_id>/absence/", homes.absence, name="absence"),
    path("living-alone/<int:household_id>/<slug:what>/", homes.change, name="change"),
]
