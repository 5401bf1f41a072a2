"""Addresses of the shared screens."""

from __future__ import annotations

from django.urls import path

from shouwang.web.pages import (
    board,
    desk,
    first_run,
    handover,
    health,
    late,
    phone,
    photos,
    procedures,
    search,
    setup,
    stream,
    tour,
    views,
)

app_name = "web"
urlpatterns = [
    path("", desk.home, name="home"),
    path("first-run/", first_run.first_run, name="first_run"),
    path("first-run/<str:token>/", first_run.first_run, name="first_run_with"),
    path("tour/", tour.tour, name="tour"),
    path("desk/", desk.desk, name="desk"),
    path("desk/queue/", desk.queue, name="queue"),
    path("desk/side/", desk.side, name="side"),
    path("desk/figures/", desk.figures, name="figures"),
    path("desk/cases/<int:case_id>/", desk.drawer, name="drawer"),
    path("desk/views/", views.views, name="views"),
    path("desk/views/save/", views.save, name="view_save"),
    path("desk/views/<int:view_id>/<slug:what>/", views.change, name="view_change"),
    path("search/", search.search, name="search"),
    path("handover/", handover.give, name="handover"),
    path("handover/past/", handover.past, name="handovers"),
    path("handover/<int:handover_id>/", handover.one, name="handover_one"),
    path("handover/<int:handover_id>/<slug:what>/", handover.sign, name="handover_sign"),
    path("board/", board.wall, name="board"),
    path("cases/", desk.cases, name="cases"),
    path("cases/<int:case_id>/", desk.case, name="case"),
    path("cases/<int:case_id>/photos/", photos.photos, name="photos"),
    path("cases/<int:case_id>/photos/<int:file_id>/", photos.photo, name="photo"),
    path("cases/<int:case_id>/<slug:what>/", desk.act, name="act"),
    path("stream/who/", stream.who, name="stream_who"),
    path("tasks/", phone.tasks, name="tasks"),
    path("messages/", phone.messages, name="messages"),
    path("messages/unread/", phone.unread, name="unread"),
    path("healthz", health.healthz, name="healthz"),
    path("setup/procedures/", procedures.procedures, name="procedures"),
    path("setup/procedures/<slug:code>/", procedures.procedure, name="procedure"),
    path("setup/procedures/<slug:code>/follow/", procedures.follow, name="procedure_follow"),
    path("setup/doctor/", health.doctor, name="doctor"),
    path("setup/steps/<slug:code>/", setup.step, name="step"),
    path("setup/", setup.setup, name="setup"),
    path("late/", late.late, name="late"),
    path("t/<str:token>/", phone.task, name="task"),
]
